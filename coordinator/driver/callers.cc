// Who calls: which store a certificate stands for, and how it gets one, or the next one, or none any more.
#include "base/log.h"
#include "base/reason.h"
#include "coordinator/driver/coordinator.h"

namespace aisle {

Status Coordinator::CanAnswer() const {
  if (stopping_) return Unavailable("the coordinator is stopping; try again");
  if (lost_) return Unavailable("the coordinator can't read its state at the moment; try again");
  return OkStatus();
}

StatusOr<StoreId> Coordinator::AdmitCaller(const Certificate& caller) {
  AISLE_RETURN_IF_ERROR(CanAnswer());
  StatusOr<StoreId> store = desk_.Admit(caller);
  if (!store.ok()) {
    parts_.metrics.CallerRefused();
    if (const StatusOr<StoreId> named = StoreOf(caller.identity()); named.ok()) {
      stores_.NoteCallRefused(*named, store.status());
    }
  }
  return store;
}

// For a call that was admitted at its beginning; the store's key may have been renewed since.
StatusOr<StoreId> Coordinator::RecogniseCaller(const Certificate& caller) {
  AISLE_RETURN_IF_ERROR(CanAnswer());
  return desk_.Recognise(caller);
}

// Ends what the store has open: a held check-in, uploads, downloads.
void Coordinator::CutOff(const StoreId& store, const Status& why) {
  waiting_.Answer(store, why);
  for (const auto& [id, transfer] : transfers_) {
    if (transfer.store == store) transfer.cut(why);
  }
}

void Coordinator::Enrol(std::string code, std::string csr_pem, Reply<EnrolmentDesk::Enrolled> reply) {
  parts_.executor.Post([=, this, code = std::move(code), csr = std::move(csr_pem), reply = std::move(reply)] {
    StatusOr<EnrolmentDesk::Enrolled> enrolled = desk_.Enrol(code, csr);
    if (!enrolled.ok()) {
      LogWarning("an enrolment was refused: {}", MessageOf(enrolled.status()));
    } else {
      LogInfo("store {} enrolled", enrolled->store);
      if (!enrolled->repeated) {  // A box it had before has no say from here on.
        CutOff(enrolled->store,
               WithReason(Unauthenticated("store {} was enrolled anew: this box isn't it any more", enrolled->store),
                          Reason::kDuplicateIdentity));
      }
    }
    reply(std::move(enrolled));
  });
}

void Coordinator::Renew(Certificate caller, std::string csr_pem, Reply<Certificate> reply) {
  parts_.executor.Post([=, this, caller = std::move(caller), csr = std::move(csr_pem), reply = std::move(reply)] {
    reply(desk_.Renew(caller, csr));
  });
}

void Coordinator::RenewLate(std::string ended_pem, std::string csr_pem, std::string proof, Reply<Certificate> reply) {
  parts_.executor.Post([=, this, ended = std::move(ended_pem), csr = std::move(csr_pem), proof = std::move(proof),
                        reply = std::move(reply)] {
    StatusOr<Certificate> renewed = desk_.RenewLate(ended, csr, proof, roots_pem());
    if (renewed.ok())
      LogInfo("store {} renewed a certificate that had ended", renewed->identity().name);
    else
      LogWarning("a late renewal was refused: {}", MessageOf(renewed.status()));
    reply(std::move(renewed));
  });
}

}  // namespace aisle
