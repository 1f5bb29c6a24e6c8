"""Text as it is written becomes text as it is said, in French, Italian and English; and text is cut where a voice may
begin. Pure: text in, text out.

    say("RDV le 03/12 à 14h30, 45,50 €", "fr")  ->  "rendez-vous le trois décembre à quatorze heures trente, ..."
    cut("Bonjour. Votre montant est de 12,50 €.")  ->  pieces with their places in the text
"""

from sayable.cutting import Cut, Cutter, cut
from sayable.spoken import say

__all__ = ["Cut", "Cutter", "cut", "say"]
