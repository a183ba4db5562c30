// One real store: the program aisle-agent in a folder of its own, that can be killed and started again.
#pragma once

#include <sys/types.h>

#include <string>

#include "tests/storage/temporary_folder.h"

namespace aisle::hostile {

class StoreProcess {
 public:
  // Enrols by an invitation of this server. `policy` is the site's policy, TOML.
  StoreProcess(const std::string& headquarters, const std::string& ca_pem, const std::string& code,
               const std::string& policy);
  ~StoreProcess() { Kill(); }
  StoreProcess(const StoreProcess&) = delete;
  StoreProcess& operator=(const StoreProcess&) = delete;

  void Start();
  void Kill();  // With signal 9.
  void KillAndStart() {
    Kill();
    Start();
  }
  std::string log() const { return folder_.Read("agent.log"); }
  const TemporaryFolder& folder() const { return folder_; }

 private:
  TemporaryFolder folder_;
  pid_t process_ = 0;
};

}  // namespace aisle::hostile
