// How much memory one customer's rows may make the plan's program hold in tensors: counted exactly, from nothing, so
// that whatever other customers hold makes no difference. The cap on the whole process is the kernel's; whether an
// allocation passes that one depends on everybody's rows, so it must not be what decides.
#pragma once

#include <cstddef>

namespace aisle {

// While it lives, tensors made since then may take `bytes` at once; an allocation past it fails with std::bad_alloc,
// which Guarded() tells as ResourceExhausted. An allowance within another one changes nothing, nor does one of 0.
// Process-wide: one piece of work at a time. Lists and strings of the program aren't counted.
class TensorAllowance {
 public:
  explicit TensorAllowance(size_t bytes);
  ~TensorAllowance();
  TensorAllowance(const TensorAllowance&) = delete;
  TensorAllowance& operator=(const TensorAllowance&) = delete;

 private:
  bool outermost_ = false;
};

}  // namespace aisle
