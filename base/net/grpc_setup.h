// What must be true of gRPC in every program of ours: its log goes to ours, and it speaks TLS 1.3 or nothing.
#pragma once

#include <cstdint>

namespace aisle {

// Sets both up, once; later calls do nothing. Call it first in main, before other threads start: it sets environment
// variables. Everything in base/net that makes gRPC objects calls it too. Thread-safe against itself.
//
// gRPC 1.51's C++ API has no way to set the least TLS version (set_min_tls_version came later), and its own default is
// 1.2. So the list of ciphers for TLS 1.2 is cut to one that needs a pre-shared key, which neither end ever has: 1.2
// can be neither offered nor accepted, while 1.3's ciphers are another list and stay. Tests try a TLS 1.2 peer at both
// ends.
void SetUpGrpc();

// Log lines of gRPC that were dropped because it wrote more than 10 a second.
uint64_t GrpcLogLinesDropped();

}  // namespace aisle
