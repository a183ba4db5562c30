#include "privacy/debit_receipt.h"

namespace aisle {

DebitReceipt::DebitReceipt(DebitReceipt&& other) noexcept
    : debit_(std::move(other.debit_)), entry_(other.entry_), spent_(std::exchange(other.spent_, true)) {}

DebitReceipt& DebitReceipt::operator=(DebitReceipt&& other) noexcept {
  debit_ = std::move(other.debit_);
  entry_ = other.entry_;
  spent_ = std::exchange(other.spent_, true);
  return *this;
}

}  // namespace aisle
