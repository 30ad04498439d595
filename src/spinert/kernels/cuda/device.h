// What the CUDA runtime says of this machine.
#pragma once

#include <string>

namespace spinert {

struct Devices {
    int count;           // 0 when there is none
    std::string reason;  // why there is none, empty otherwise
};
Devices cuda_devices();

}  // namespace spinert
