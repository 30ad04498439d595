// Connected components.
#include "components.h"

#include "rows.inl"

#include "labels.inl"
#include "runs.inl"
#include "statistics.inl"

namespace spinert::components {
namespace {

template <Kind kKind, bool kCorners>
constexpr Labeller kLabeller = {find_runs<kKind, kCorners>, join_slabs<kKind, kCorners>, write_labels<kKind>};

constexpr Kernels kTable = {{{kLabeller<Kind::mask, false>, kLabeller<Kind::mask, true>},
                             {kLabeller<Kind::classes, false>, kLabeller<Kind::classes, true>}},
                            number_runs,
                            add_rows,
                            relabel};

}  // namespace
}  // namespace spinert::components
