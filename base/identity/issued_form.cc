#include "base/identity/issued_form.h"

#include <array>
#include <charconv>

#include "base/identity/der.h"
#include "base/identity/p256_key.h"

namespace aisle {
namespace {

using namespace std::string_view_literals;

// Tags whose meaning hangs on their place (RFC 5280, sections 4.1 and 4.2.1.6).
constexpr char kExtensions = '\xa3';
constexpr char kDnsName = '\x82';
constexpr char kUri = '\x86';
constexpr char kIpAddress = '\x87';

// Whole elements that are always the same.
constexpr auto kVersion3 = "\xa0\x03\x02\x01\x02"sv;
constexpr auto kEcdsaWithSha256 = "\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02"sv;
constexpr auto kOrganisation = "\x06\x03\x55\x04\x0a"sv;
constexpr auto kCommonName = "\x06\x03\x55\x04\x03"sv;
constexpr auto kAlternativeNames = "\x06\x03\x55\x1d\x11"sv;
constexpr auto kNoAuthority = "\x30\x0c\x06\x03\x55\x1d\x13\x01\x01\xff\x04\x02\x30\x00"sv;
constexpr auto kDigitalSignature = "\x30\x0e\x06\x03\x55\x1d\x0f\x01\x01\xff\x04\x04\x03\x02\x07\x80"sv;
constexpr auto kServerOnly = "\x30\x13\x06\x03\x55\x1d\x25\x04\x0c\x30\x0a\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x01"sv;
constexpr auto kClientOnly = "\x30\x13\x06\x03\x55\x1d\x25\x04\x0c\x30\x0a\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x02"sv;
constexpr auto kAuthorityOfParties =
    "\x30\x12\x06\x03\x55\x1d\x13\x01\x01\xff\x04\x08\x30\x06\x01\x01\xff\x02\x01\x00"sv;
constexpr auto kSignsCertificates = "\x30\x0e\x06\x03\x55\x1d\x0f\x01\x01\xff\x04\x04\x03\x02\x01\x06"sv;
// These go on with an identifier of kKeyIdSize bytes.
constexpr auto kOwnKeyId = "\x30\x1d\x06\x03\x55\x1d\x0e\x04\x16\x04\x14"sv;
constexpr auto kIssuerKeyId = "\x30\x1f\x06\x03\x55\x1d\x23\x04\x18\x30\x16\x80\x14"sv;
constexpr size_t kKeyIdSize = 20;
constexpr size_t kSerialSize = 16;

std::string NamePart(std::string_view kind, std::string_view text) {
  return der::Element(der::kSet,
                      der::Element(der::kSequence, std::string(kind) + der::Element(der::kUtf8String, text)));
}

// Of a party or a root.
std::string NameOf(const ChainName& chain, std::string_view name) {
  return der::Element(der::kSequence, NamePart(kOrganisation, chain.str()) + NamePart(kCommonName, name));
}

std::optional<int> Number(std::string_view digits) {
  int number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc() || end != digits.data() + digits.size() || digits.front() == '-') return std::nullopt;
  return number;
}

// "MMDDHHMMSSZ", of a year.
std::optional<absl::Time> TimeIn(int year, std::string_view text) {
  if (text.size() != 11 || text.back() != 'Z') return std::nullopt;
  std::array<int, 5> parts{};
  for (size_t i = 0; i < parts.size(); ++i) {
    const std::optional<int> part = Number(text.substr(2 * i, 2));
    if (!part) return std::nullopt;
    parts[i] = *part;
  }
  const absl::CivilSecond civil(year, parts[0], parts[1], parts[2], parts[3], parts[4]);
  const bool exists = civil.year() == year && civil.month() == parts[0] && civil.day() == parts[1] &&
                      civil.hour() == parts[2] && civil.minute() == parts[3] && civil.second() == parts[4];
  if (!exists) return std::nullopt;
  return absl::FromCivil(civil, absl::UTCTimeZone());
}

// RFC 5280, section 4.1.2.5: two digits of the year until 2049, four after it.
std::optional<absl::Time> TakeTime(der::Reader& reader) {
  if (const auto text = reader.Take(der::kUtcTime); text && text->size() == 13) {
    const std::optional<int> year = Number(text->substr(0, 2));
    if (!year) return std::nullopt;
    return TimeIn(*year < 50 ? 2000 + *year : 1900 + *year, text->substr(2));
  }
  if (const auto text = reader.Take(der::kGeneralizedTime); text && text->size() == 15) {
    const std::optional<int> year = Number(text->substr(0, 4));
    if (!year || *year < 2050) return std::nullopt;
    return TimeIn(*year, text->substr(4));
  }
  return std::nullopt;
}

// The identity, and after it the servers' names that only coordinators have.
std::optional<Identity> TakeNames(der::Reader& extensions) {
  const auto extension = extensions.Take(der::kSequence);
  if (!extension) return std::nullopt;
  der::Reader inside(*extension);
  if (!inside.TakeExactly(kAlternativeNames)) return std::nullopt;
  const auto value = inside.Take(der::kOctetString);
  if (!value || !inside.AtEnd()) return std::nullopt;
  der::Reader wrapped(*value);
  const auto list = wrapped.Take(der::kSequence);
  if (!list || !wrapped.AtEnd()) return std::nullopt;

  der::Reader names(*list);
  const auto uri = names.Take(kUri);
  if (!uri) return std::nullopt;
  StatusOr<Identity> identity = Identity::ParseUri(*uri);
  if (!identity.ok() || (!names.AtEnd() && identity->role != Role::kCoordinator)) return std::nullopt;
  while (!names.AtEnd()) {
    if (names.Take(kDnsName)) continue;
    const auto address = names.Take(kIpAddress);
    if (!address || (address->size() != 4 && address->size() != 16)) return std::nullopt;
  }
  return *std::move(identity);
}

std::optional<std::string_view> TakeKeyId(der::Reader& extensions, std::string_view head) {
  if (!extensions.TakeExactly(head)) return std::nullopt;
  return extensions.TakeBytes(kKeyIdSize);
}

// Of a party: whom it is about, what it is for, whose keys.
bool ReadExtensions(std::string_view list, IssuedForm& form) {
  der::Reader extensions(list);
  std::optional<Identity> identity = TakeNames(extensions);
  if (!identity) return false;
  form.identity = *std::move(identity);
  const bool fit = extensions.TakeExactly(kNoAuthority) && extensions.TakeExactly(kDigitalSignature) &&
                   extensions.TakeExactly(form.identity.role == Role::kCoordinator ? kServerOnly : kClientOnly) &&
                   TakeKeyId(extensions, kOwnKeyId);
  const auto issuer_key_id = fit ? TakeKeyId(extensions, kIssuerKeyId) : std::nullopt;
  if (!issuer_key_id || !extensions.AtEnd()) return false;
  form.issuer_key_id = *issuer_key_id;
  return true;
}

// Of a root: the same key twice.
std::optional<std::string_view> ReadRootExtensions(std::string_view list) {
  der::Reader extensions(list);
  if (!extensions.TakeExactly(kAuthorityOfParties) || !extensions.TakeExactly(kSignsCertificates)) return std::nullopt;
  const auto own = TakeKeyId(extensions, kOwnKeyId);
  const auto issuer = own ? TakeKeyId(extensions, kIssuerKeyId) : std::nullopt;
  if (!issuer || *own != *issuer || !extensions.AtEnd()) return std::nullopt;
  return own;
}

// What parties' certificates and roots have in common.
struct Frame {
  std::string_view signed_part;
  std::string_view signature;
  std::string_view issuer;
  std::string_view subject;
  std::string_view key_info;
  std::string_view extensions;  // The list's content.
  absl::Time not_before;
  absl::Time not_after;
};

bool ReadLife(std::string_view bytes, Frame& frame) {
  der::Reader reader(bytes);
  const std::optional<absl::Time> from = TakeTime(reader);
  const std::optional<absl::Time> until = from ? TakeTime(reader) : std::nullopt;
  if (!until || !reader.AtEnd()) return false;
  frame.not_before = *from;
  frame.not_after = *until;
  return true;
}

// A serial number as the authority draws it: of one length, positive.
bool IsSerial(std::string_view bytes) { return bytes.size() == kSerialSize && (bytes[0] & 0xc0) == 0x40; }

bool ReadSignedPart(std::string_view bytes, Frame& frame) {
  der::Reader reader(bytes);
  if (!reader.TakeExactly(kVersion3)) return false;
  const auto serial = reader.Take(der::kInteger);
  if (!serial || !IsSerial(*serial) || !reader.TakeExactly(kEcdsaWithSha256)) return false;
  const auto issuer = reader.TakeWhole(der::kSequence);
  const auto life = issuer ? reader.Take(der::kSequence) : std::nullopt;
  if (!life || !ReadLife(*life, frame)) return false;
  const auto subject = reader.TakeWhole(der::kSequence);
  const auto key_info = subject ? reader.TakeWhole(der::kSequence) : std::nullopt;
  if (!key_info || key_info->size() != kP256InfoSize || !key_info->starts_with(kP256InfoPrefix)) return false;
  const auto wrapped = reader.Take(kExtensions);
  if (!wrapped || !reader.AtEnd()) return false;
  der::Reader inside(*wrapped);
  const auto extensions = inside.Take(der::kSequence);
  if (!extensions || !inside.AtEnd()) return false;
  frame.issuer = *issuer;
  frame.subject = *subject;
  frame.key_info = *key_info;
  frame.extensions = *extensions;
  return true;
}

std::optional<Frame> ReadFrame(std::string_view der) {
  der::Reader whole(der);
  const auto certificate = whole.Take(der::kSequence);
  if (!certificate || !whole.AtEnd()) return std::nullopt;
  der::Reader parts(*certificate);
  const auto signed_part = parts.TakeWhole(der::kSequence);
  if (!signed_part || !parts.TakeExactly(kEcdsaWithSha256)) return std::nullopt;
  const auto signature = parts.Take(der::kBitString);
  if (!signature || signature->size() < 2 || signature->front() != '\0' || !parts.AtEnd()) return std::nullopt;
  Frame frame;
  frame.signed_part = *signed_part;
  frame.signature = signature->substr(1);  // A bit string begins with the number of bits to leave out.
  der::Reader inside(*signed_part);
  if (!ReadSignedPart(*inside.Take(der::kSequence), frame)) return std::nullopt;
  return frame;
}

}  // namespace

std::optional<IssuedForm> ReadIssuedForm(std::string_view der) {
  const std::optional<Frame> frame = ReadFrame(der);
  IssuedForm form;
  if (!frame || !ReadExtensions(frame->extensions, form)) return std::nullopt;
  const auto& [chain, role, name] = form.identity;
  if (frame->issuer != NameOf(chain, kRootName) || frame->subject != NameOf(chain, name)) return std::nullopt;
  form.signed_part = frame->signed_part;
  form.signature = frame->signature;
  form.issuer = frame->issuer;
  form.key_info = frame->key_info;
  form.not_before = frame->not_before;
  form.not_after = frame->not_after;
  return form;
}

std::optional<RootForm> ReadRootForm(std::string_view der) {
  const std::optional<Frame> frame = ReadFrame(der);
  const auto key_id = frame ? ReadRootExtensions(frame->extensions) : std::nullopt;
  if (!key_id || frame->subject != frame->issuer) return std::nullopt;
  return RootForm{.name = frame->subject,
                  .key_id = *key_id,
                  .key_info = frame->key_info,
                  .not_before = frame->not_before,
                  .not_after = frame->not_after};
}

}  // namespace aisle
