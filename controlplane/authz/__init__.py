"""External authorization for Envoy: who may call what, how much, and where the request goes.

facts     request → values, pure
body      the JSON body → what is asked, or the field that is wrong, pure
decide    facts + snapshot + now → Allow | Deny | Answer, pure
record    decisions → audit entries, pure
reply     decisions → Envoy's CheckResponse
servicer  joins them with the quota gate, the audit log and the transport
"""
