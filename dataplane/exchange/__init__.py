"""One HTTP exchange as pure logic: events in, effects out, no I/O.

`Session.receive(event, now)` is the whole interface. `events` are what happened (Envoy's messages, the journal's
answers), `effects` what the shell must do, in order. `states` is the table of what may follow what; anything else is
a fault and closes the exchange. `extproc` maps Envoy's messages to events and effects to replies.
"""
