// The devices of this machine.
#pragma once

#include <string>

namespace spinert::cuda {

struct Devices {
    int count;           // 0 when there is none
    std::string reason;  // why there is none, empty otherwise
};
Devices devices();

struct Description {
    std::string name;
    int major, minor;  // compute capability
    int multiprocessors;
    size_t bytes;
};
Description describe(int device);

// The device of the calling thread's context.
int current_device();

// Makes `device` that of the calling thread until the end of the block. A context that is current on that device
// stays, so that one of PyCUDA's is not left for the runtime's own.
class OnDevice {
  public:
    explicit OnDevice(int device);
    ~OnDevice();
    OnDevice(const OnDevice&) = delete;
    OnDevice& operator=(const OnDevice&) = delete;

  private:
    int before_;  // -1: there is nothing to undo
};

}  // namespace spinert::cuda
