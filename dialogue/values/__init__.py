"""Values that a flow remembers: their types, conditions over them, texts with them in it, and how they are said. Pure.

    read_type(...)       "moment", {type: money, currency: EUR}   -> ValueType
    stored(...)          what a service, a fact or a flow file gave -> the text that a conversation keeps
    parse_condition(...) "order.status == 'late' and order.date is known" -> Condition
    parse_template(...)  "Bonjour {client.first_name}" -> Template

Nothing in here runs what it is given: a condition is a small tree of comparisons, a template a list of names.
"""
