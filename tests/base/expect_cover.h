// A rare branch that a test must have taken by the end of its scope.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "base/cover.h"

namespace aisle::test {

class ExpectCover {
 public:
  explicit ExpectCover(std::string mark) : mark_(std::move(mark)), before_(CoverageCount(mark_)) {}
  ~ExpectCover() { EXPECT_GT(CoverageCount(mark_), before_) << mark_ << " was not taken"; }
  ExpectCover(const ExpectCover&) = delete;
  ExpectCover& operator=(const ExpectCover&) = delete;

 private:
  const std::string mark_;
  const uint64_t before_;
};

}  // namespace aisle::test
