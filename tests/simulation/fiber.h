// A stack of its own for code that blocks: it can be left in the middle of a call, and taken up again there.
#pragma once

#include <functional>
#include <memory>

namespace aisle::simulation {

// One thread. The body must not throw, and must have ended before the fiber is destroyed.
class Fiber {
 public:
  explicit Fiber(std::function<void()> body);
  ~Fiber();
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  // Runs the body until it suspends or ends. Not from within a fiber.
  void Resume();
  bool done() const;

  // The fiber that runs now; null outside of any.
  static Fiber* Current();
  // Back to whoever resumed the fiber that runs now.
  static void Suspend();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace aisle::simulation
