#include "cli/invitation.h"

#include <fcntl.h>

#include <string_view>

#include "base/storage/files.h"

namespace aisle::cli {
namespace {

// A TOML basic string.
std::string Quoted(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      quoted += '\\';
      quoted += c;
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      quoted += fmt::format("\\u{:04X}", static_cast<unsigned char>(c));
    } else {
      quoted += c;
    }
  }
  return quoted + "\"";
}

}  // namespace

std::string InvitationToml(const NewInvitation& invitation) {
  return fmt::format(
      "# Joins a store to its chain, once. Bring this file to the store's box and delete it everywhere else.\n"
      "coordinator = {}\n"
      "store = {}\n"
      "chain = {}\n"
      "code = {}\n"
      "ca_pem = '''\n{}'''\n",
      Quoted(invitation.coordinator), Quoted(invitation.store), Quoted(invitation.chain), Quoted(invitation.code),
      invitation.ca_pem);
}

Status WriteInvitation(const std::string& path, const NewInvitation& invitation) {
  AISLE_ASSIGN_OR_RETURN(const FileDescriptor target, OpenFile(path, O_WRONLY | O_CREAT | O_EXCL, 0600));
  AISLE_RETURN_IF_ERROR(WriteAll(target.get(), InvitationToml(invitation), path));
  return SyncData(target.get(), path);
}

}  // namespace aisle::cli
