// Certificates already parsed, by their PEM: parsing one costs 0.1 to 0.3 ms, and a store calls many times with the
// same.
#pragma once

#include <mutex>
#include <string>
#include <unordered_map>

#include "base/identity/certificate.h"
#include "base/status.h"

namespace aisle {

// Parsing is a pure function of the PEM, so nothing here can go stale; whether a certificate is valid now is asked anew
// by whoever uses it. Keeps between `size` and twice as many, the most recently used ones. Thread-safe.
class CertificateCache {
 public:
  explicit CertificateCache(size_t size) : size_(size) {}

  // As Certificate::FromPem. Failures aren't kept.
  StatusOr<Certificate> Parse(const std::string& pem);
  size_t count() const;

 private:
  using Generation = std::unordered_map<std::string, Certificate>;
  const Certificate* Find(const std::string& pem);
  void Keep(const std::string& pem, const Certificate& certificate);

  const size_t size_;
  mutable std::mutex mutex_;
  Generation recent_;  // Guarded by mutex_.
  Generation older_;   // Guarded by mutex_. What was recent before; dropped when the recent ones are full again.
};

}  // namespace aisle
