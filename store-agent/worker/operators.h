// Which operators a plan's program may use. An allow-list: whatever is new or unknown is refused.
//
// On it: tensor mathematics, and the lists, dictionaries and control flow of TorchScript. Not on it: anything that
// opens a file or a socket (aten::from_file, aten::save), starts work elsewhere (prim::fork, rpc), changes the process
// or its random generators (aten::manual_seed), reads memory it didn't write (aten::empty, as_strided, resize_, set_),
// differentiates on its own (aten::backward) or prints. The sandbox holds even if this list has a hole; this list gives
// the clear error.
#pragma once

#include <string_view>

namespace aisle {

// `name` as a graph spells it: "aten::matmul", "prim::If". An operator's in-place form ("aten::add_") counts as the
// operator.
bool IsAllowedOperator(std::string_view name);

// What to tell the author of a plan that uses `name`: why not, or what to use instead. Empty if there is nothing to
// add.
std::string_view HintFor(std::string_view name);

}  // namespace aisle
