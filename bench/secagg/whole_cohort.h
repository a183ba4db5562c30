// One cohort from adverts to the sum, all parties in this process, each party's time on its own account. Nobody's plain
// or masked vector is kept: headquarters has one accumulator, whatever the number of stores.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "bench/secagg/chains.h"
#include "privacy/secagg/member.h"
#include "privacy/secagg/unmask.h"

namespace aisle::secagg {

struct Costs {
  // Processor seconds. A store's are the mean over survivors.
  double store_steps = 0;
  double store_masking = 0;
  double server_messages = 0;  // Verifying and answering, all steps.
  double server_rebuilding = 0;
  double server_sum = 0;
  double server_self_masks = 0;
  double server_dropouts = 0;
  double server_wall = 0;  // All of these, the last three on `threads` threads.
  double everybody = 0;
  // Bytes on the wire for one survivor, all steps.
  double bytes_up = 0;
  double bytes_down = 0;
  double upload_of_plain = 0;  // All that it sends over the plain vector alone.
  uint32_t degree = 0;
  uint32_t threshold = 0;
  bool correct = false;  // The sum is the survivors', on the coordinates that every store masked.
};

// What the terms assume of the stores. As many as that do drop out.
struct Assumed {
  uint32_t dropout_permille;
  uint32_t corrupt_permille;
};

class WholeCohort {
 public:
  // Every 1000 / dropout_permille-th store drops out once it has dealt.
  WholeCohort(const Chain& chain, uint64_t length, const Assumed& assumed);
  // Every survivor masks its whole vector, or, with `sample` below the length, one in fifty does: the others mask the
  // first `sample` coordinates, which are compared. Then the server's sum is of as many whole vectors all the same.
  Costs Run(uint64_t sample, int threads);

 private:
  bool Survives(uint32_t position) const;
  void Advertise();
  void Deal();
  void Collect(uint64_t sample);
  void Confirm();
  void Reveal();
  void Unmask(int threads);

  const Chain& chain_;
  CohortTerms terms_;
  uint32_t dropout_every_;
  std::vector<Member> members_;
  std::map<uint32_t, Confirmation> confirmed_;
  Transcript transcript_;
  std::vector<uint32_t> sum_;
  std::vector<uint32_t> expected_;
  Costs costs_;
};

}  // namespace aisle::secagg
