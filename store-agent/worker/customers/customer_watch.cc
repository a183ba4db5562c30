#include "store-agent/worker/customers/customer_watch.h"

#include <utility>

namespace aisle {

CustomerWatch::CustomerWatch(const v1::TrainTask& task, Tell tell)
    : tell_(std::move(tell)), alone_(task.alone().begin(), task.alone().end()) {
  for (const v1::LeftOut& left_out : task.left_out()) left_out_[left_out.customer()] = left_out.from_step();
}

bool CustomerWatch::IsLeftOut(size_t customer) const {
  const auto found = left_out_.find(customer);
  return found != left_out_.end() && step_ >= found->second;
}

void CustomerWatch::BeforeCustomer(size_t customer) const {
  if (!tell_) return;
  v1::Mark mark;
  mark.set_step(step_);
  mark.add_customers(static_cast<uint32_t>(customer));
  tell_(mark);
}

void CustomerWatch::BeforeUnits(const Units& units, std::span<const size_t> some) const {
  if (!tell_) return;
  v1::Mark mark;
  mark.set_step(step_);
  for (const size_t unit : some) mark.add_customers(static_cast<uint32_t>(units.customer(unit)));
  tell_(mark);
}

void CustomerWatch::AfterAll() const {
  if (tell_) tell_(v1::Mark());
}

}  // namespace aisle
