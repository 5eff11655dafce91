"""Administration over gRPC: everything the `kagami` command changes or shows.

fields     checks of single fields, pure
convert    a manifest → declared objects, or every field that is wrong, pure
auth       who may call
servicer   one transaction per change
"""
