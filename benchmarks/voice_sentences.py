"""Sentences that callers might hear, none a prompt of ours: voices are measured with them, never chosen by them."""

SENTENCES = {
    "fr": """Votre dossier a bien été transmis à notre agence de Nantes.
Le rendez-vous est confirmé pour jeudi matin, à neuf heures.
Avez-vous pensé à couper l'eau avant l'arrivée du plombier ?
La livraison prendra un peu plus de temps que prévu.
Nous n'avons trouvé aucun contrat à votre nom.
Souhaitez-vous recevoir la facture par courrier ?
Votre facture s'élève à quarante-deux euros, à régler avant la fin du mois.
Un technicien passera entre midi et quatorze heures.
Je vous remercie de votre patience, je cherche encore.
Pouvez-vous épeler votre nom de famille, s'il vous plaît ?
Le magasin est fermé le dimanche et les jours fériés.
Vous pouvez annuler jusqu'à la veille sans aucun frais.
Dites-moi simplement ce qui ne fonctionne pas.
Il reste deux places dans le train du soir.
Notre conseillère est en ligne, elle vous répond dans un instant.
Cette adresse existe dans deux villes, laquelle est la vôtre ?
Gardez votre numéro de commande à portée de main.
Le chauffage de la salle de bains est garanti trois ans.
Je n'ai pas entendu la fin de votre phrase.
Au revoir, et à bientôt dans nos magasins.""".splitlines(),
    "it": """La sua pratica è stata inviata alla nostra agenzia di Bologna.
L'appuntamento è confermato per giovedì mattina, alle nove.
Ha pensato a chiudere l'acqua prima che arrivi l'idraulico?
La consegna richiederà un po' più di tempo del previsto.
Non abbiamo trovato nessun contratto a suo nome.
Desidera ricevere la fattura per posta?
La fattura è di quarantadue euro, da pagare entro la fine del mese.
Un tecnico passerà tra mezzogiorno e le due.
La ringrazio per la pazienza, sto ancora cercando.
Può dirmi lettera per lettera il suo cognome, per favore?
Il negozio è chiuso la domenica e nei giorni festivi.
Può annullare fino al giorno prima senza alcuna spesa.
Mi dica semplicemente che cosa non funziona.
Restano due posti sul treno della sera.
La nostra consulente è in linea, le risponde tra un attimo.
Questo indirizzo esiste in due città, qual è la sua?
Tenga il numero dell'ordine a portata di mano.
Il riscaldamento del bagno è garantito per tre anni.
Non ho sentito la fine della sua frase.
Arrivederci, e a presto nei nostri negozi.""".splitlines(),
    "en": """Your file has been sent to our office in Leeds.
The appointment is confirmed for Thursday morning at nine o'clock.
Did you remember to turn off the water before the plumber arrives?
The delivery will take a little longer than expected.
We could not find any contract in your name.
Would you like to receive the invoice by post?
Your bill is forty-two pounds, to be paid before the end of the month.
An engineer will come between noon and two o'clock.
Thank you for your patience, I am still looking.
Could you spell your last name, please?
The shop is closed on Sundays and on public holidays.
You can cancel until the day before at no cost.
Simply tell me what does not work.
There are two seats left on the evening train.
Our adviser is on the line and will answer you in a moment.
This address exists in two towns, which one is yours?
Keep your order number close at hand.
The bathroom heating comes with a guarantee of three years.
I did not hear the end of your sentence.
Goodbye, and see you soon in our shops.""".splitlines(),
}
