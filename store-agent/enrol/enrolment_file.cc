#include "store-agent/enrol/enrolment_file.h"

#include <algorithm>
#include <cctype>

#include "base/config.h"
#include "base/identity/secret_file.h"

namespace aisle {
namespace {

constexpr size_t kCodeDigits = 32;

// As people type it: dashes and spaces are let pass.
SecretBytes CodeOf(std::string& text) {
  std::string digits;
  for (const char c : text) {
    if (c != '-' && c != ' ') digits += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  const bool fits = digits.size() == kCodeDigits &&
                    std::ranges::all_of(digits, [](unsigned char c) { return std::isxdigit(c) != 0; });
  SecretBytes code = fits ? SecretBytes::CopyOf(digits) : SecretBytes();
  Wipe(digits.data(), digits.size());
  Wipe(text.data(), text.size());
  return code;
}

template <typename Name>
void ReadName(ConfigTable& root, std::string_view key, Name& name) {
  std::string text;
  root.Require(key, text);
  StatusOr<Name> parsed = Name::Parse(text);
  if (parsed.ok()) {
    name = *std::move(parsed);
  } else if (!text.empty()) {
    root.Refuse(key, MessageOf(parsed.status()));
  }
}

}  // namespace

StatusOr<Invitation> ReadInvitation(const std::string& path) {
  AISLE_ASSIGN_OR_RETURN(const SecretBytes text, ReadSecretFile(path));
  return ParseInvitation(text.Reveal(), path);
}

StatusOr<Invitation> ParseInvitation(std::string_view text, std::string_view origin) {
  AISLE_ASSIGN_OR_RETURN(ConfigTable root, ConfigTable::Parse(text, origin));
  Invitation invitation;
  root.Require("coordinator", invitation.coordinator);
  ReadName(root, "store", invitation.store);
  ReadName(root, "chain", invitation.chain);
  root.Require("ca_pem", invitation.ca_pem);
  std::string code;
  root.Require("code", code);
  const bool given = !code.empty();
  invitation.code = CodeOf(code);
  if (given && invitation.code.empty()) root.Refuse("code", "must be 32 hexadecimal digits");
  AISLE_RETURN_IF_ERROR(root.Finish());
  return invitation;
}

}  // namespace aisle
