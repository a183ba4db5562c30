// The moment at which something leaves: a clean update in, a spooled and noised vector out. The order is the promise:
//
//   norm checked -> debit durable in the ledger -> noise drawn -> vector durable in the spool
//
// The types hold it too: no noise without a DebitReceipt, no receipt without a durable debit (privacy/ledger.h).
#pragma once

#include <absl/time/time.h>

#include <variant>
#include <vector>

#include "aggregation/quantizer.h"
#include "base/random.h"
#include "base/secret.h"
#include "store-agent/driver/task_steps.h"
#include "store-agent/ledger/ledger_file.h"
#include "store-agent/transfer/spool.h"

namespace aisle {

struct ReleaseTerms {
  std::vector<Debit> debits;  // One per population that the release concerns; alike in all else.
  SpendingCaps caps;
  const Quantizer& quantizer;
};

// `random` gives the fresh key of the noise stream, which is never kept.
//   Failed plan_error    the update isn't what it should be; nothing was spent
//   Refused privacy_budget  a cap would be passed; nothing was spent
//   Refused ledger_halted   the ledger isn't what it was; nothing was spent
//   Failed storage       the ledger or the spool couldn't be written; the debit may have been spent, and stays so
std::variant<BlobName, TaskEnd> ReleaseAndSpool(SecretVector<int32_t> clean, const ReleaseTerms& terms,
                                                LedgerFile& ledger, const Spool& spool, RandomSource& random,
                                                absl::Time now);

// Mode local-sgd: debit and noise came before training, so what is finished only goes to the spool. Failed plan_error
// if it isn't what it should be, storage if the spool couldn't be written.
std::variant<BlobName, TaskEnd> SpoolNoised(SecretVector<int32_t> noised, const RoundId& round,
                                            const Quantizer& quantizer, const Spool& spool);

// How a task ends whose debit the ledger didn't take, at the release or when it was first asked.
TaskEnd EndOfSpending(const Status& refused);

}  // namespace aisle
