// What the page says, by language.

const WORDS = {
  fr: {
    title: "Appel", notice: "Un automate vous répond : ce que vous dites est transcrit et peut être enregistré.", log: "Conversation",
    level: "Micro", you: "Vous : ", bot: "Bot : ", call: "Appeler", again: "Rappeler", mute: "Couper le micro", keypad: "Clavier",
    end: "Raccrocher", answered: (ms) => `Réponse en ${ms} ms`,
    idle: "Prêt", connecting: "Connexion…", greeting: "Accueil", listening: "Je vous écoute", thinking: "Un instant…",
    speaking: "Le bot parle", transferred: "Transféré", ended: "Terminé",
    why: {
      denied: "Le micro est refusé. Autorisez-le : cliquez sur le cadenas à gauche de l'adresse, permettez le microphone pour ce site, puis rappelez.",
      no_microphone: "Aucun micro n'a été trouvé. Branchez-en un, puis rappelez.",
      microphone_taken: "Le micro n'est pas disponible : une autre application l'utilise peut-être.",
      insecure: "Le micro n'est permis que sur une page sécurisée (https).",
      hung_up: "Vous avez raccroché.", bot_hung_up: "L'appel est terminé.", transferred: "Un conseiller prend la suite.",
      busy: "Toutes les lignes sont occupées. Rappelez dans un instant.", draining: "Le service redémarre. Rappelez dans un instant.",
      restarting: "Le service redémarre. Rappelez dans un instant.", too_many_requests: "Trop d'appels : patientez un instant.",
      unavailable: "Personne ne peut répondre pour l'instant.", too_long: "L'appel a duré trop longtemps.",
      lost: "La connexion est perdue.", gone: "La connexion est perdue.", slow: "La connexion est trop lente.",
      silent: "La connexion est perdue.", error: "L'appel n'a pas pu se faire.",
    },
  },
  it: {
    title: "Chiamata", notice: "Le risponde un sistema automatico: ciò che dice è trascritto e può essere registrato.", log: "Conversazione",
    level: "Microfono", you: "Lei: ", bot: "Bot: ", call: "Chiama", again: "Richiama", mute: "Silenzia il microfono", keypad: "Tastiera",
    end: "Riaggancia", answered: (ms) => `Risposta in ${ms} ms`,
    idle: "Pronto", connecting: "Connessione…", greeting: "Benvenuto", listening: "La ascolto", thinking: "Un momento…",
    speaking: "Il bot parla", transferred: "Trasferita", ended: "Finita",
    why: {
      denied: "Il microfono è negato. Per consentirlo: clicchi sul lucchetto a sinistra dell'indirizzo, permetta il microfono per questo sito, poi richiami.",
      no_microphone: "Nessun microfono trovato. Ne colleghi uno, poi richiami.",
      microphone_taken: "Il microfono non è disponibile: forse lo usa un'altra applicazione.",
      insecure: "Il microfono è permesso solo in una pagina sicura (https).",
      hung_up: "Ha riagganciato.", bot_hung_up: "La chiamata è finita.", transferred: "Continua con lei una persona.",
      busy: "Tutte le linee sono occupate. Richiami tra un momento.", draining: "Il servizio si riavvia. Richiami tra un momento.",
      restarting: "Il servizio si riavvia. Richiami tra un momento.", too_many_requests: "Troppe chiamate: attenda un momento.",
      unavailable: "Ora nessuno può rispondere.", too_long: "La chiamata è durata troppo a lungo.",
      lost: "La connessione è persa.", gone: "La connessione è persa.", slow: "La connessione è troppo lenta.",
      silent: "La connessione è persa.", error: "La chiamata non è riuscita.",
    },
  },
  en: {
    title: "Call", notice: "A machine answers you: what you say is transcribed and may be recorded.", log: "Conversation",
    level: "Microphone", you: "You: ", bot: "Bot: ", call: "Call", again: "Call again", mute: "Mute the microphone", keypad: "Keypad",
    end: "Hang up", answered: (ms) => `Answered in ${ms} ms`,
    idle: "Ready", connecting: "Connecting…", greeting: "Greeting", listening: "Listening", thinking: "One moment…",
    speaking: "The bot speaks", transferred: "Handed over", ended: "Ended",
    why: {
      denied: "The microphone is refused. To allow it: click the padlock left of the address, permit the microphone for this site, then call again.",
      no_microphone: "No microphone was found. Plug one in, then call again.",
      microphone_taken: "The microphone is not available: another application may use it.",
      insecure: "The microphone is allowed on a secure page (https) only.",
      hung_up: "You hung up.", bot_hung_up: "The call is over.", transferred: "A person takes over.",
      busy: "All lines are busy. Call again in a moment.", draining: "The service restarts. Call again in a moment.",
      restarting: "The service restarts. Call again in a moment.", too_many_requests: "Too many calls: wait a moment.",
      unavailable: "Nobody can answer right now.", too_long: "The call took too long.",
      lost: "The connection is lost.", gone: "The connection is lost.", slow: "The connection is too slow.",
      silent: "The connection is lost.", error: "The call could not be made.",
    },
  },
};

export const LANGUAGES = Object.keys(WORDS);
export const wordsOf = (language) => WORDS[language] ?? WORDS.en;
