#include "base/net/certificate_cache.h"

namespace aisle {

StatusOr<Certificate> CertificateCache::Parse(const std::string& pem) {
  {
    const std::lock_guard lock(mutex_);
    if (const Certificate* found = Find(pem)) return *found;
  }
  AISLE_ASSIGN_OR_RETURN(Certificate certificate, Certificate::FromPem(pem));
  const std::lock_guard lock(mutex_);
  Keep(pem, certificate);
  return certificate;
}

size_t CertificateCache::count() const {
  const std::lock_guard lock(mutex_);
  return recent_.size() + older_.size();
}

const Certificate* CertificateCache::Find(const std::string& pem) {
  if (const auto found = recent_.find(pem); found != recent_.end()) return &found->second;
  const auto found = older_.find(pem);
  if (found == older_.end()) return nullptr;
  const Certificate certificate = found->second;
  older_.erase(found);
  Keep(pem, certificate);
  return &recent_.at(pem);
}

void CertificateCache::Keep(const std::string& pem, const Certificate& certificate) {
  if (recent_.size() >= size_) {
    older_ = std::move(recent_);
    recent_.clear();
  }
  recent_.insert_or_assign(pem, certificate);
}

}  // namespace aisle
