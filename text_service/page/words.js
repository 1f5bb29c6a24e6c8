// What the page says, by language.

const WORDS = {
  fr: {
    title: "Discussion", notice: "Une intelligence artificielle vous répond. Elle peut se tromper.", log: "Messages",
    field: "Votre message", send: "Envoyer", again: "Réessayer", fresh: "Nouvelle discussion", close: "Fermer",
    connected: "Connecté", reconnecting: "Reconnexion…", offline: "Hors ligne", writing: "Le bot écrit…",
    you: "Vous", bot: "Bot", up: "Bonne réponse", down: "Mauvaise réponse", thanks: "Merci pour votre avis.",
    comment: "Qu'est-ce qui n'allait pas ? (facultatif)", left: (n) => `${n} caractères restants`,
    bot_hung_up: "La discussion est terminée. Écrivez pour en commencer une autre.",
    transferred: "Un conseiller prend la suite.", person_left: "Le conseiller a quitté la discussion.",
    error: "Votre message n'a pas pu être traité.", too_many_requests: "Trop de messages : patientez un instant.",
    model_timeout: "La réponse tarde trop.", query_too_long: "Votre message est trop long.",
    full: "Patientez : vos messages précédents attendent encore.", forgotten: "Tout ce qui a été écrit est effacé.",
    delayed: "Réponse différée…", away: "Nous ne pouvons pas répondre pour l'instant : ce que vous écrivez attend.",
    unknown_link: "Ce lien n'est plus valable. Écrivez pour commencer une discussion.",
    link_taken: "Ce lien a déjà été ouvert dans un autre navigateur.",
  },
  it: {
    title: "Chat", notice: "Le risponde un'intelligenza artificiale. Può sbagliare.", log: "Messaggi",
    field: "Il suo messaggio", send: "Invia", again: "Riprova", fresh: "Nuova conversazione", close: "Chiudi",
    connected: "Connesso", reconnecting: "Riconnessione…", offline: "Non in linea", writing: "Il bot scrive…",
    you: "Lei", bot: "Bot", up: "Buona risposta", down: "Cattiva risposta", thanks: "Grazie per il suo parere.",
    comment: "Che cosa non andava? (facoltativo)", left: (n) => `${n} caratteri rimasti`,
    bot_hung_up: "La conversazione è finita. Scriva per cominciarne un'altra.",
    transferred: "Continua con lei una persona.", person_left: "La persona ha lasciato la conversazione.",
    error: "Il suo messaggio non è stato elaborato.", too_many_requests: "Troppi messaggi: attenda un momento.",
    model_timeout: "La risposta tarda troppo.", query_too_long: "Il suo messaggio è troppo lungo.",
    full: "Attenda: i messaggi di prima aspettano ancora.", forgotten: "Tutto ciò che è stato scritto è cancellato.",
    delayed: "Risposta in ritardo…", away: "Ora non possiamo rispondere: ciò che scrive attende.",
    unknown_link: "Questo link non è più valido. Scriva per cominciare una conversazione.",
    link_taken: "Questo link è già stato aperto in un altro browser.",
  },
  en: {
    title: "Chat", notice: "An artificial intelligence answers you. It can be wrong.", log: "Messages",
    field: "Your message", send: "Send", again: "Try again", fresh: "New conversation", close: "Close",
    connected: "Connected", reconnecting: "Reconnecting…", offline: "Offline", writing: "The bot is writing…",
    you: "You", bot: "Bot", up: "Good answer", down: "Bad answer", thanks: "Thank you for your opinion.",
    comment: "What was wrong? (optional)", left: (n) => `${n} characters left`,
    bot_hung_up: "The conversation is over. Write to begin another one.",
    transferred: "A person takes over.", person_left: "The person has left the conversation.",
    error: "Your message could not be dealt with.", too_many_requests: "Too many messages: wait a moment.",
    model_timeout: "The answer takes too long.", query_too_long: "Your message is too long.",
    full: "Wait: your messages before are still in line.", forgotten: "All that was written is deleted.",
    delayed: "Answers are delayed…", away: "We cannot answer right now: what you write waits.",
    unknown_link: "This link is not good any more. Write to begin a conversation.",
    link_taken: "This link was opened in another browser already.",
  },
};

export const LANGUAGES = Object.keys(WORDS);
export const wordsOf = (language) => WORDS[language] ?? WORDS.en;
