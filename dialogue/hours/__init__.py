"""When a place is open: weekly hours, public holidays, dated exceptions, and the message of the day."""
