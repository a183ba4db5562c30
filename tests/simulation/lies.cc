#include "tests/simulation/lies.h"

#include <memory>
#include <utility>
#include <vector>

#include "aisle/v1/fleet.pb.h"
#include "tests/simulation/world.h"

namespace aisle::simulation {
namespace {

constexpr size_t kRemembered = 200;  // Messages that a liar may say again.
constexpr absl::Duration kLieWithin = absl::Seconds(20);
constexpr uint32_t kLaterMinor = 1000;
constexpr std::string_view kUnknownField = "\xf8\xd3\x07\x2a";  // Field 15,999: the number 42.

struct Remembered {
  Method method;
  std::string message;
};
using Memory = std::vector<Remembered>;

std::string Changed(std::string message, RandomSource& random) {
  if (message.empty()) return "\x08";
  message[random.Below(message.size())] ^= static_cast<char>(1 << random.Below(8));
  return message;
}

std::string MadeUp(RandomSource& random) {
  std::string bytes(random.Below(200), '\0');
  for (char& byte : bytes) byte = static_cast<char>(random.Below(256));
  return bytes;
}

Remembered DrawLie(const Memory& memory, RandomSource& random) {
  Remembered lie = memory[random.Below(memory.size())];
  const uint64_t kind = random.Below(4);
  if (kind == 1) lie.message = Changed(std::move(lie.message), random);
  if (kind == 2) lie.message.resize(random.Below(lie.message.size() + 1));
  if (kind == 3) lie.message = MadeUp(random);
  return lie;
}

void Remember(Memory& memory, Remembered said, RandomSource& random) {
  if (memory.size() < kRemembered) {
    memory.push_back(std::move(said));
  } else {
    memory[random.Below(memory.size())] = std::move(said);
  }
}

const StoreMachine& StoreOf(const FaultCase& fault) { return dynamic_cast<const StoreMachine&>(fault.machine); }

// The rewriting ends by itself, and with the faults.
void RewriteFor(const FaultCase& fault, Network::Rewrite rewrite) {
  World& world = fault.world;
  const StoreId store = StoreOf(fault).id();
  const auto end = [&world, store] { world.network().SetRewrite(store, nullptr); };
  world.network().SetRewrite(store, std::move(rewrite));
  world.Later(fault.lasts, end);
  world.AtFaultsEnd(end);
}

std::string AsVersion(Method method, std::string message, uint32_t minor) {
  v1::CheckInRequest request;
  if (method != Method::kCheckIn || !request.ParseFromString(message)) return message;
  request.set_protocol_minor(minor);
  return request.SerializeAsString();
}

}  // namespace

void Lie(const FaultCase& fault) {
  World& world = fault.world;
  const auto tell = [&world, store = StoreOf(fault).id()](const Remembered& lie) {
    if (!world.faults_over()) world.network().Inject(store, lie.method, lie.message);
  };
  RewriteFor(fault, [&world, tell, memory = std::make_shared<Memory>(),
                     chance = fault.script.amount > 0 ? fault.script.amount : 0.5](Method method, std::string message) {
    Remember(*memory, {method, message}, world.random());
    if (world.random().Fraction() < chance) {
      world.Later(world.Draw(absl::ZeroDuration(), kLieWithin),
                  [tell, lie = DrawLie(*memory, world.random())] { tell(lie); });
    }
    return message;
  });
}

void Replay(const FaultCase& fault) { fault.world.network().ReplayOne(); }

void ChangeVersion(const FaultCase& fault) {
  const bool old = fault.random.Below(2) == 0;
  RewriteFor(fault, [old](Method method, std::string message) {
    if (old) return AsVersion(method, std::move(message), 0);
    return AsVersion(method, std::move(message), kLaterMinor).append(kUnknownField);
  });
}

}  // namespace aisle::simulation
