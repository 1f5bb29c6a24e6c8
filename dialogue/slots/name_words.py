# ruff: noqa: E501 - tables
"""The words around a person's name in each language: how it is announced, what belongs to it, what is no name. Pure: data.

All without accents and in lower case, an elided word apart ("l' appareil"). `given` holds first names that are frequent
enough to be known in a transcript without capitals; the lists are no register, and a name need not be in them.
"""

from __future__ import annotations

from dataclasses import dataclass

Sayings = tuple[str, ...]


@dataclass(frozen=True)
class NameWords:
    """One language's. `announces`: nothing but a name follows; `presents`: something else may ("je suis pressé").

    `also_names`: words of `no_names` that are last names behind a first one ("Graham Wood"). `both`: between two persons.
    """

    announces: Sayings
    presents: Sayings
    first: Sayings
    last: Sayings
    titles: Sayings
    polite: Sayings
    behind: Sayings
    spells: Sayings
    both: frozenset[str]
    particles: frozenset[str]
    small: frozenset[str]
    inner: frozenset[str]
    with_letter: Sayings
    without_letter: Sayings
    twice: frozenset[str]
    at_end: Sayings
    no_names: frozenset[str]
    also_names: frozenset[str]
    given: frozenset[str]


def _sayings(text: str) -> Sayings:
    return tuple(sorted((part.strip() for part in text.split("|")), key=lambda part: -len(part.split())))


FRENCH = NameWords(
    announces=_sayings(
        "je m' appelle|je m' appel|je n' appelle|je mappelle|m' appelle|je me nomme|je me prenomme|moi c' est|moi je m' appelle|mon nom est|mon nom c' est|mon nom"
        "|c' est au nom de|c' est au nom d'|au nom de|au nom d'|au nom de famille|le nom c' est|le nom est|vous parlez a"
        "|vous parlez avec|nom et prenom|prenom et nom|mon nom et mon prenom c' est|je suis au nom de|appelez moi"
        "|l' abonnement est au nom de|je vais m' appeler"
    ),
    presents=_sayings("c' est|je suis|ici|ce sera|alors c' est|on m' appelle|y a|il y a|de la part de|de la part d'"),
    first=_sayings(
        "mon prenom c' est|mon prenom est|le prenom c' est|le prenom est|prenom c' est|mon prenom|le prenom|prenom"
        "|de prenom|de mon prenom|et mon prenom c' est|et mon prenom est|et prenom"
    ),
    last=_sayings(
        "mon nom de famille c' est|mon nom de famille est|mon nom de famille|le nom de famille c' est"
        "|le nom de famille est|le nom de famille|nom de famille c' est|nom de famille|et de nom|de mon nom|nom"
    ),
    titles=_sayings("monsieur|madame|mademoiselle|docteur|maitre|professeur|mr|m|mme|mlle|dr|monsieur et madame"),
    polite=_sayings(
        "bonjour|bonsoir|salut|allo|oui|ouais|s' il vous plait|s' il te plait|merci|merci beaucoup|bien sur|d' accord"
        "|oui bonjour|bien|tres bien|euh|voila|ok|alors|donc|et bien|eh bien|oui alors|voila donc|bah|tout simplement"
    ),
    behind=_sayings("a l' appareil|au telephone|a l' ecoute"),
    spells=_sayings(
        "ca s' ecrit|cela s' ecrit|qui s' ecrit|s' ecrit|ca s' epelle|je vous l' epelle|je l' epelle|je vous epelle"
        "|j' epelle|j' epele|epele|en epelant|lettre par lettre|avec les lettres"
    ),
    both=frozenset({"et"}),
    particles=frozenset(
        "de du des d' la le les l' da dos von van der den di el al bin mac mc o' saint sainte st".split()
    ),
    small=frozenset("de du des d' von van der den la".split()),
    inner=frozenset({"ben", "bin", "bou"}),
    with_letter=_sayings("avec un|avec une|avec"),
    without_letter=_sayings("sans le|sans la|sans l'|sans"),
    twice=frozenset({"deux", "2", "double"}),
    at_end=_sayings("a la fin|au bout|final|finale|en dernier"),
    no_names=frozenset(
        # words of sentences
        "je tu il elle on nous vous ils elles me te se moi toi lui leur eux y en ce cet cette ces ca cela ceci c' j' m' t' s' "
        "n' qu' un une mon ma mes ton ta tes son sa ses notre nos votre vos leurs au aux a par pour sur sous sans avec dans "
        "chez vers entre depuis pendant avant apres contre et ou mais donc or ni car si que qui quoi dont quand comment "
        "pourquoi combien lequel laquelle quel quelle quels quelles quelque quelques quelqu' chaque tout toute tous toutes "
        "rien personne aucun aucune autre autres meme memes plusieurs ne pas plus moins tres trop peu beaucoup assez bien "
        "mal mieux encore deja toujours jamais souvent parfois aussi seulement vraiment surtout plutot ici la-bas puis "
        "ensuite maintenant aujourd' hui demain hier tard tot vite oui non ouais nan ok okay merci bonjour bonsoir salut allo "
        "pardon voila alors euh hein ben bah bon suis es est sommes etes sont etais etait serai sera serait etre ete ai as "
        "avons avez ont avais avait aurai aura aurait avoir eu vais vas va allons allez vont aller fais fait faites font "
        "faire peux peut pouvons pouvez peuvent pouvoir pourrais pourrait veux veut voulons voulez veulent vouloir "
        "voudrais voulais dois doit devons devez devoir sais sait savons savez savoir dis dit dites disent dire vois voir "
        "viens vient venir prends prend prendre mets met mettre donne donner donnez passe passer passez parle parler "
        "parlez appelle appelles appelez appeler rappelle rappeler rappelez attends attendez attendre ecoute ecoutez "
        "entends entendez entendre comprends compris comprend repete repetez repeter repetes demande demander cherche "
        "chercher besoin envie faut falloir crois croire pense penser trouve trouver aime aimer veuillez interesse "
        "interessee interesse interesses arrete arretez aide aider aidez ecrit ecrire epelle epeler epelez connais connaissez "
        "laissez laisse laisser quittez quitte peut-etre possible impossible important desole desolee excusez excuse "
        "accord soucis souci probleme problemes question questions nom noms prenom famille adresse telephone numero code "
        "postal mail email courriel appareil appel ligne conseiller conseillere operateur operatrice humain secretaire "
        "service rendez client cliente compte dossier facture commande contrat devis maison appartement logement toit "
        "chauffage chaudiere gaz fioul electricite electrique bois pompe chaleur proprietaire locataire locataires "
        "travail retraite retraitee occupe occupee presse pressee pret prete malade absent absente heure heures minute "
        "minutes jour jours semaine mois an ans annee matin midi soir nuit lundi mardi mercredi jeudi vendredi samedi "
        "dimanche janvier fevrier avril juin juillet aout septembre octobre novembre decembre moment instant fois chose "
        "choses truc gens monde vie temps monsieur madame mademoiselle docteur enfants enfant fils fille femme mari mere pere "
        "soeur frere exact exactement correct juste faux vrai vraie sur evidemment absolument certainement parfait "
        "gauche droite rouge bleu vert grand grande mauvais mauvaise nouveau nouvelle premier premiere dernier derniere "
        "seul seule libre disponible argent prix euro euros cher chers urgent urgence erreur robot machine bot "
        "message repondeur comme lettre lettres tiret trait union accent point virgule arobase avec fin debut "
        "hors dehors dedans loin pres dessus dessous ailleurs partout nulle part quoique puisque parce lorsque etage rue "
        "avenue boulevard place ville village pays france paris demain "
        "radiateur radiateurs isolation travaux aides prime entreprise societe commercial publicite voiture train marche".split()
    ),
    also_names=frozenset(
        "grand bois place ville marche premier vert rouge fils mars juillet prime roi maison toit vite aime".split()
    ),
    given=frozenset(
        "marie jeanne francoise monique catherine nathalie isabelle sylvie anne jacqueline martine sophie christine "
        "nicole chantal valerie brigitte sandrine veronique dominique patricia celine stephanie julie aurelie emilie "
        "caroline laurence virginie florence corinne elodie camille lea manon chloe emma lucie sarah laura pauline claire "
        "mathilde marion justine charlotte louise alice juliette ines jade lina eva zoe lola nina agathe margaux clara "
        "amandine audrey melanie laetitia delphine karine severine fanny marine oceane anais morgane simone denise "
        "odette yvette paulette ginette suzanne germaine madeleine helene elise elisabeth cecile agnes beatrice colette "
        "josette bernadette evelyne danielle michele annie arlette claudine mireille fatima aicha khadija fatou aminata "
        "jean pierre michel andre philippe rene louis alain jacques bernard marcel daniel roger robert paul claude "
        "christian henri georges nicolas francois patrick gerard joseph julien maurice laurent frederic eric david "
        "stephane pascal sebastien alexandre thierry olivier thomas antoine raymond guillaume guy christophe didier "
        "vincent franck kevin maxime romain bruno yves anthony marc jerome charles matthieu mathieu lucas hugo leo gabriel "
        "raphael arthur jules adam nathan louis theo noah tom enzo ethan clement baptiste quentin simon benjamin fabien "
        "cedric damien gregory xavier gilles serge herve sylvain denis lionel ludovic arnaud emmanuel yann gael loic erwan "
        "mohamed mohammed ahmed karim mehdi youssef ali omar rachid said hamza ibrahim mamadou ousmane samuel victor "
        "remi adrien florian dylan valentin jeremy jonathan mickael yannick fernand lucien albert emile leon".split()
    ),
)

ITALIAN = NameWords(
    announces=_sayings(
        "mi chiamo|michiamo|io mi chiamo|il mio nome e|il nome e|nome e cognome|cognome e nome|a nome di|a nome|al nome di|il mio nome"
        "|il mio nome completo e|parla con|sta parlando con|intestato a|e intestato a|e a nome di|e a nome"
    ),
    presents=_sayings("sono|io sono|e|qui|qui e|da parte di|per conto di|sarebbe"),
    first=_sayings(
        "il mio nome di battesimo e|nome di battesimo|di nome faccio|di nome|il nome proprio e|nome|e il nome e|e il nome"
    ),
    last=_sayings(
        "il mio cognome e|il cognome e|cognome e|di cognome faccio|di cognome|cognome|e il cognome e|e di cognome|e cognome"
    ),
    titles=_sayings(
        "signor|signora|signorina|signore|dottor|dottore|dottoressa|avvocato|ingegnere|ingegner|professor|professore"
        "|professoressa|architetto|geometra|sig|sig ra|dott|il signor|la signora|la signorina|il dottor|la dottoressa"
    ),
    polite=_sayings(
        "buongiorno|buonasera|buon giorno|buona sera|salve|ciao|pronto|si|certo|per favore|per piacere|grazie|prego"
        "|va bene|allora|dunque|ecco|si allora|si certo|eh|ehm|certamente|si buongiorno|bene|volentieri|ok"
    ),
    behind=_sayings("al telefono|all' apparecchio|in linea"),
    spells=_sayings(
        "si scrive|che si scrive|lo scrivo|scritto|scritta|glielo sillabo|lo sillabo|le faccio lo spelling|faccio lo spelling"
        "|lettera per lettera|gliela dico lettera per lettera"
    ),
    both=frozenset({"e", "ed"}),
    particles=frozenset(
        "de di da del della dello dei degli dal dalla dall' dell' d' la lo le li l' san santa sant' von van der el al bin mac "
        "mc o'".split()
    ),
    small=frozenset("von van der".split()),
    inner=frozenset({"ben", "bin"}),
    with_letter=_sayings("con la|con il|con l'|con una|con un|con"),
    without_letter=_sayings("senza la|senza l'|senza il|senza"),
    twice=frozenset({"due", "2", "doppia", "doppio"}),
    at_end=_sayings("alla fine|finale|in fondo"),
    no_names=frozenset(
        "io tu lui lei noi voi loro mi ti ci vi si me te se lo gli ne questo questa questi queste quello quella quelli quelle "
        "cio un uno una il i gli per con su tra fra sotto sopra senza verso dopo prima contro e ed o ma anche pero quindi "
        "dunque che chi cui quale quali quanto quanta quanti quante come dove quando perche cosa niente nulla nessuno "
        "nessuna qualcuno qualcosa ogni tutto tutta tutti tutte altro altra altri altre stesso stessa molto molta molti "
        "poco poca troppo troppa piu meno bene male meglio ancora gia sempre mai spesso anche solo soltanto proprio davvero "
        "qui qua li la poi ora adesso oggi domani ieri tardi presto subito si no ok okay grazie prego buongiorno buonasera "
        "salve ciao pronto scusi scusa allora ecco eh ehm mio mia miei mie tuo tua suo sua suoi sue nostro nostra vostro "
        "vostra sono sei e siamo siete era ero sara sarebbe essere stato stata ho hai ha abbiamo avete hanno avevo aveva "
        "avere avuto vado vai va andiamo andate vanno andare faccio fai fa facciamo fate fanno fare fatto posso puoi puo "
        "possiamo potete possono potrei potrebbe potere voglio vuoi vuole vogliamo volete vogliono vorrei vorrebbe volere "
        "devo devi deve dobbiamo dovete devono dovere so sai sa sappiamo sapete sanno sapere dico dici dice dire detto dica "
        "vedo vedere vengo viene venire prendo prendere metto mettere do dare dammi mi dia passo passare passi parlo parla "
        "parlare parlate chiamo chiama chiamare chiami richiamo richiamare richiami aspetto aspetta aspetti aspettare "
        "ascolto ascolta sento sente sentire capisco capisce capito capire ripeto ripeta ripetere ripeti chiedo chiede "
        "chiedere cerco cercare bisogno voglia credo credere penso pensare trovo trovare piace interessa interessato "
        "interessata interessati aiuto aiutare aiuti scrive scrivere conosco conosce lascia lasciare basta possibile "
        "impossibile importante dispiace spiacente accordo problema problemi domanda domande nome nomi cognome famiglia "
        "indirizzo telefono cellulare numero codice postale posta mail email apparecchio chiamata linea operatore "
        "operatrice umano persona persone segretaria servizio appuntamento cliente conto pratica fattura ordine contratto "
        "preventivo casa appartamento tetto riscaldamento caldaia gasolio metano elettricita elettrico legna pompa "
        "calore proprietario proprietaria inquilino inquilina affitto lavoro pensionato pensionata occupato occupata "
        "impegnato impegnata stanco stanca pronto pronta malato malata assente ora ore minuto minuti giorno giorni "
        "settimana mese mesi anno anni mattina mattino mezzogiorno pomeriggio sera notte lunedi martedi mercoledi giovedi "
        "venerdi sabato domenica gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre "
        "dicembre momento attimo volta volte cose gente mondo vita tempo signore signora signorina dottore figlio figlia "
        "figli moglie marito madre padre mamma papa sorella fratello esatto esattamente corretto giusto sbagliato falso "
        "vero vera certo certamente sicuro sicura assolutamente perfetto sinistra destra nuovo nuova primo prima ultimo "
        "ultima solo sola libero libera disponibile soldi prezzo euro caro urgente urgenza errore robot macchina messaggio "
        "segreteria lettera lettere trattino accento punto virgola chiocciola fine inizio taglio piega colore barba "
        "parrucchiere disdire disdetta annullare annulla prenotare prenotazione spostare fissare orario orari costo costa "
        "via viale piazza corso citta paese italia dentro fuori vicino lontano ovunque non pure oppure mentre appena "
        "quasi forse magari ottimo benissimo volentieri naturalmente nemmeno neanche neppure d'".split()
    ),
    also_names=frozenset(
        "quaranta trenta sei otto settembre maggio costa volta prima taglio mele casa gia corso barba metano giusto sicuro libero caro".split()
    ),
    given=frozenset(
        "maria anna giuseppina rosa angela giovanna teresa lucia carmela caterina francesca antonietta carla elena concetta "
        "rita margherita franca paola laura giulia sofia aurora alice ginevra emma giorgia greta beatrice chiara sara "
        "martina valentina alessia federica elisa silvia monica simona barbara cristina daniela patrizia roberta sabrina "
        "stefania alessandra claudia michela ilaria eleonora serena veronica marta irene arianna noemi camilla vittoria "
        "matilde bianca gaia nicole viola ludovica linda luisa gabriella graziella marisa mariangela annamaria donatella "
        "emanuela manuela raffaella tiziana loredana cinzia antonella lorena ornella ivana nadia katia debora giada "
        "giuseppe giovanni antonio mario luigi francesco angelo vincenzo pietro salvatore carlo franco domenico bruno paolo "
        "michele giorgio aldo sergio luciano marco andrea luca matteo alessandro lorenzo mattia davide simone federico "
        "stefano roberto riccardo leonardo gabriele tommaso edoardo filippo alberto daniele claudio massimo fabio maurizio "
        "gianluca enrico emanuele nicola samuele jacopo giacomo raffaele mauro valerio dario ivan diego cristian "
        "christian gianni gianfranco giancarlo pierluigi piero renato silvio umberto vittorio ettore ernesto guido "
        "gino nino rocco rosario gennaro pasquale ciro carmine agostino alfredo adriano fabrizio gianpaolo giulio ugo "
        "cesare corrado dino elio ennio eugenio felice flavio gerardo ignazio italo lino livio marcello "
        "maurizio michelangelo oreste ottavio pierpaolo remo romano rodolfo saverio tullio walter ahmed mohamed".split()
    ),
)

ENGLISH = NameWords(
    announces=_sayings(
        "my name is|my name' s|my name|the name is|the name' s|my full name is|under the name of|under the name|in the name of"
        "|you' re speaking to|you are speaking to|you' re speaking with|call me|i' m called|i am called|it' s under|name is"
        "|first and last name|my name would be"
    ),
    presents=_sayings("it' s|it is|i' m|i am|this is|that' s|it would be|here is|that is"),
    first=_sayings(
        "my first name is|my first name' s|first name is|my first name|first name|the first name is|given name|my given name is"
        "|and my first name is"
    ),
    last=_sayings(
        "my last name is|my last name' s|last name is|my last name|last name|surname|my surname is|surname is|family name|my "
        "surname|my family name is|the surname is|the last name is|and my last name is|and my surname is"
    ),
    titles=_sayings("mr|mrs|ms|miss|mister|missus|doctor|dr|professor|sir|madam|mr and mrs|reverend"),
    polite=_sayings(
        "hello|hi|hey|good morning|good afternoon|good evening|yes|yeah|yep|please|thanks|thank you|sure|of course|okay|ok"
        "|well|right|so|yes hello|yes hi|certainly|oh|alright"
    ),
    behind=_sayings("speaking|here|on the phone|on the line|calling"),
    spells=_sayings(
        "that' s spelled|that is spelled|it' s spelled|it is spelled|spelled|spelt|that' s spelt|it' s spelt|i' ll spell it"
        "|i' ll spell that|i spell|let me spell that|letter by letter|spelling"
    ),
    both=frozenset({"and"}),
    particles=frozenset("de du la le van von der den di da del mac mc o' st saint al el bin".split()),
    small=frozenset("van von der den".split()),
    inner=frozenset({"ben", "bin"}),
    with_letter=_sayings("with a|with an|with"),
    without_letter=_sayings("without a|without an|without the|without|no"),
    twice=frozenset({"two", "2", "double"}),
    at_end=_sayings("at the end|in the end"),
    no_names=frozenset(
        "i you he she it we they me him her us them my your his its our their mine yours this that these those a an the some "
        "any no not none every each all both either neither other another same much many more most few less least and or "
        "but so because if when where why how what which who whom whose than then as at by for from in into of off on onto "
        "out over to under up with without about after before between during until since through against is am are was "
        "were be been being have has had having do does did doing done can could may might must shall should will would "
        "won't don't get got go goes going gone went come comes came make makes made take takes took give gives gave say "
        "says said tell told speak speaking spoke talk talking call calls called calling want wants wanted need needs "
        "needed like likes liked know knows knew think thinks thought see saw look looking find found ask asks asked wait "
        "waiting hold hear heard listen understand understood repeat help helping stop try let put keep keeps yes no yeah "
        "yep nope nah ok okay sure please thanks thank hello hi hey goodbye bye sorry excuse pardon well right wrong true "
        "false correct incorrect exactly absolutely perfect fine good great bad better best new old first last next "
        "only just also too very really quite now today tomorrow yesterday tonight soon later early late always never "
        "often sometimes again still already yet maybe perhaps here there everywhere nothing something anything everything "
        "nobody somebody anybody everyone people person human agent operator representative advisor adviser assistant "
        "manager machine robot bot name names surname address phone telephone number code zip postcode post mail email "
        "account bill invoice order contract quote service customer client appointment booking card bank money price "
        "cost house home apartment flat roof heating boiler gas oil electricity electric wood heat pump owner tenant "
        "renting rent work busy tired ready sick ill interested available free hour hours minute minutes second day days "
        "week month months year years morning noon afternoon evening night monday tuesday wednesday thursday friday "
        "saturday sunday january february march april june july august september october november december "
        "moment time thing things problem problems question questions issue urgent mistake message voicemail letter "
        "letters hyphen dash accent dot comma at end wife husband mother father mom dad son daughter brother sister kids "
        "children child family sir madam mister one two three four five six seven eight nine ten left red blue green big "
        "small little car street road avenue city town country england london america isn't it's i'm aren't can't "
        "haven't didn't doesn't wasn't weren't couldn't wouldn't shouldn't what's that's who's where's how's let's "
        "back cancel change check pay send open close start begin play set turn show buy book read write use using".split()
    ),
    also_names=frozenset(
        "wood green day may june april august street price little small best bell bill good new wells hill heat right head blue church house english french long england london close banks west north cook".split()
    ),
    given=frozenset(
        "mary patricia jennifer linda elizabeth barbara susan jessica sarah karen lisa nancy betty margaret sandra ashley "
        "kimberly emily donna michelle carol amanda melissa deborah stephanie rebecca sharon laura cynthia kathleen amy "
        "angela shirley anna brenda pamela emma nicole helen samantha katherine christine debra rachel carolyn janet "
        "catherine maria heather diane ruth julie olivia joyce virginia victoria kelly lauren christina joan evelyn judith "
        "megan andrea cheryl hannah jacqueline martha gloria teresa ann sara madison frances kathryn janice jean abigail "
        "alice julia judy sophia grace denise amber doris marilyn danielle beverly isabella theresa diana natalie brittany "
        "charlotte marie kayla alexis lori chloe lucy ellie sophie ella mia isla poppy freya florence daisy claire fiona "
        "james robert john michael david william richard joseph thomas charles christopher daniel matthew anthony mark "
        "donald steven paul andrew joshua kenneth kevin brian george timothy ronald edward jason jeffrey ryan jacob gary "
        "nicholas eric jonathan stephen larry justin scott brandon benjamin samuel gregory alexander frank patrick raymond "
        "jack dennis jerry tyler aaron jose adam nathan henry zachary douglas peter kyle noah ethan jeremy christian walter "
        "keith austin roger terry sean gerald carl dylan harold jordan jesse bryan lawrence arthur gabriel bruce logan "
        "albert willie alan eugene russell vincent philip bobby johnny harry oliver charlie alfie oscar leo archie freddie "
        "theo simon martin graham ian neil stuart nigel colin trevor derek barry craig darren lee gavin mohammed muhammad "
        "ahmed ali omar liam connor callum jamie euan hamish alasdair rhys owen gareth".split()
    ),
)

NAME_WORDS = {"fr": FRENCH, "it": ITALIAN, "en": ENGLISH}
