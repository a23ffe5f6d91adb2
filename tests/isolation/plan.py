"""Addresses and names of the wire and of what stands outside."""

INSIDE_ADDRESS = "10.77.0.2"
ROUTER = "10.77.0.1"
GATEWAY = "10.77.0.10"
NAME_SERVER = "10.77.0.53"
INSIDE_ADDRESS_6 = "fd77::2"
ROUTER_6 = "fd77::1"
GATEWAY_NAME = "gateway.example.test"
# Unlike the real ones of a host it is searched for every name that fails, so a leak has two chances to be seen.
SEARCHED_SUFFIX = "search.example.test"
OUTSIDE_WIRE = "wire0"
