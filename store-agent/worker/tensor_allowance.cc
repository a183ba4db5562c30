#include "store-agent/worker/tensor_allowance.h"

#include <c10/core/CPUAllocator.h>

#include <atomic>
#include <mutex>
#include <new>
#include <unordered_map>

namespace aisle {
namespace {

// LibTorch's own allocator, with a count of what is taken while somebody's allowance is in force.
class CountingAllocator final : public c10::Allocator {
 public:
  // In place of LibTorch's from the first call on; never taken away, since tensors may outlive everything.
  static CountingAllocator& Installed() {
    static CountingAllocator* const installed = [] {
      auto* fresh = new CountingAllocator(*c10::GetCPUAllocator());
      c10::SetCPUAllocator(fresh);
      return fresh;
    }();
    return *installed;
  }

  bool Begin(size_t bytes) {
    const std::lock_guard lock(mutex_);
    if (counts_ || bytes == 0) return false;
    allowed_ = bytes;
    counts_ = true;
    return true;
  }
  void End() {
    const std::lock_guard lock(mutex_);
    counts_ = false;
    live_.clear();
    taken_ = 0;
  }

  c10::DataPtr allocate(size_t size) const override {
    if (counts_.load(std::memory_order_relaxed)) CheckRoom(size);
    c10::DataPtr memory = below_.allocate(size);
    void* const data = memory.get();
    if (data == nullptr || memory.get_context() != data) return memory;
    const c10::Device device = memory.device();
    memory.release_context();
    if (counts_.load(std::memory_order_relaxed)) Take(data, size);
    return {data, data, &Free, device};
  }
  c10::DeleterFnPtr raw_deleter() const override { return &Free; }

 private:
  explicit CountingAllocator(c10::Allocator& below) : below_(below) {}

  void CheckRoom(size_t size) const {
    const std::lock_guard lock(mutex_);
    if (size > allowed_ - taken_) throw std::bad_alloc();
  }
  void Take(void* data, size_t size) const {
    const std::lock_guard lock(mutex_);
    live_[data] = size;
    taken_ += size;
  }
  void GiveBack(void* data) const {
    const std::lock_guard lock(mutex_);
    const auto found = live_.find(data);
    if (found == live_.end()) return;
    taken_ -= found->second;
    live_.erase(found);
  }
  static void Free(void* data) {
    const CountingAllocator& self = Installed();
    if (self.counts_.load(std::memory_order_relaxed)) self.GiveBack(data);
    self.below_.raw_deleter()(data);
  }

  c10::Allocator& below_;
  mutable std::mutex mutex_;
  std::atomic<bool> counts_ = false;
  size_t allowed_ = 0;
  mutable size_t taken_ = 0;  // Of `allowed_`; the sum of `live_`.
  mutable std::unordered_map<void*, size_t> live_;
};

}  // namespace

TensorAllowance::TensorAllowance(size_t bytes) : outermost_(CountingAllocator::Installed().Begin(bytes)) {}
TensorAllowance::~TensorAllowance() {
  if (outermost_) CountingAllocator::Installed().End();
}

}  // namespace aisle
