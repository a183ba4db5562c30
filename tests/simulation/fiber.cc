#include "tests/simulation/fiber.h"

#include <sys/mman.h>
#include <ucontext.h>

#include <utility>
#include <vector>

#include "base/check.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
#endif
#if defined(__SANITIZE_THREAD__)
#include <sanitizer/tsan_interface.h>
#endif

namespace aisle::simulation {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr size_t kStackSize = 2 << 20;
#else
constexpr size_t kStackSize = 512 << 10;
#endif
constexpr size_t kGuardSize = 4096;

// Stacks are used again: a world begins thousands of fibers, and has a few at a time.
class StackPool {
 public:
  char* Take() {
    if (free_.empty()) return Map();
    char* const stack = free_.back();
    free_.pop_back();
    return stack;
  }
  void Give(char* stack) { free_.push_back(stack); }

 private:
  // Below it lies a page that nobody may touch: a stack that is too small shows at once.
  static char* Map() {
    void* const memory =
        ::mmap(nullptr, kGuardSize + kStackSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    AISLE_CHECK(memory != MAP_FAILED && ::mprotect(memory, kGuardSize, PROT_NONE) == 0);
    return static_cast<char*>(memory) + kGuardSize;
  }
  std::vector<char*> free_;
};
StackPool& Stacks() {
  static auto* const pool = new StackPool;
  return *pool;
}

Fiber* current = nullptr;

}  // namespace

struct Fiber::State {
  std::function<void()> body;
  char* stack = Stacks().Take();
  ucontext_t own{};
  ucontext_t back{};
  bool begun = false;
  bool done = false;
#if defined(__SANITIZE_ADDRESS__)
  void* fake_stack = nullptr;
  const void* back_bottom = nullptr;
  size_t back_size = 0;
#endif
#if defined(__SANITIZE_THREAD__)
  void* tsan_own = __tsan_create_fiber(0);
  void* tsan_back = nullptr;
  ~State() { __tsan_destroy_fiber(tsan_own); }
#endif

  void Enter() {
#if defined(__SANITIZE_THREAD__)
    tsan_back = __tsan_get_current_fiber();
    __tsan_switch_to_fiber(tsan_own, 0);
#endif
#if defined(__SANITIZE_ADDRESS__)
    void* save = nullptr;
    __sanitizer_start_switch_fiber(&save, stack, kStackSize);
#endif
    swapcontext(&back, &own);
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_finish_switch_fiber(save, nullptr, nullptr);
#endif
  }
  void Leave() {
#if defined(__SANITIZE_THREAD__)
    __tsan_switch_to_fiber(tsan_back, 0);
#endif
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_start_switch_fiber(done ? nullptr : &fake_stack, back_bottom, back_size);
#endif
    swapcontext(&own, &back);
    Arrived();
  }
  void Arrived() {
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_finish_switch_fiber(fake_stack, &back_bottom, &back_size);
#endif
  }
  static void Run() {
    State& state = *current->state_;
    state.Arrived();
    state.body();
    state.body = nullptr;  // What it held goes now, on its own stack.
    state.done = true;
    state.Leave();
  }
};

Fiber::Fiber(std::function<void()> body) : state_(std::make_unique<State>()) { state_->body = std::move(body); }

Fiber::~Fiber() {
  AISLE_CHECK(state_->done || !state_->begun, "a fiber is destroyed in the middle of its work");
  Stacks().Give(state_->stack);
}

bool Fiber::done() const { return state_->done; }

Fiber* Fiber::Current() { return current; }

void Fiber::Resume() {
  AISLE_CHECK(current == nullptr && !state_->done);
  if (!std::exchange(state_->begun, true)) {
    getcontext(&state_->own);
    state_->own.uc_stack.ss_sp = state_->stack;
    state_->own.uc_stack.ss_size = kStackSize;
    state_->own.uc_link = nullptr;
    makecontext(&state_->own, &State::Run, 0);
  }
  current = this;
  state_->Enter();
  current = nullptr;
}

void Fiber::Suspend() {
  AISLE_CHECK(current != nullptr, "nothing to suspend: no fiber runs");
  current->state_->Leave();
}

}  // namespace aisle::simulation
