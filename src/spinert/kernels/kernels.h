// What the native modules share: their ABI number and the choice of instruction set. Each family of kernels has a
// header of its own, cpu/<family>.h.
//
// Bindings check what comes in; the functions behind them assume it. Images are C-order [rows, columns], volumes
// [slices, rows, columns], maps [n, height, width]; points are (x, y), (0, 0) the centre of the top-left pixel or cell.
// No function depends on `threads` or on the instruction set for its result: every bit is the same. None of them
// throws, apart from std::bad_alloc.
#pragma once

#include <string>
#include <vector>

namespace spinert {

// Raised with every change of a binding's arguments or meaning; kernels/native.py compares it, so that a stale build
// is refused with a remedy instead of failing later.
constexpr int kAbi = 3;

// Instruction sets, best first. `force_isa` returns false for one that is unknown or unusable on this processor.
std::vector<std::string> compiled_isas();
std::vector<std::string> usable_isas();
std::string active_isa();
bool force_isa(const std::string& name);

}  // namespace spinert
