#include "plans/initial_weights.h"

#include <cmath>
#include <numbers>
#include <utility>

#include "base/codec.h"
#include "base/random.h"

namespace aisle {

namespace {

SecretBytes SeedOf(const Plan& plan) {  // Nothing secret here: only the type that streams want.
  ByteWriter writer;
  writer.Raw("aisle/initial-weights/v1").String(plan.name).U64(plan.seed);
  return SecretBytes::CopyOf(Sha256::Of(writer.bytes()).view());
}

// The inputs that one output element sums over: every dimension but the first.
double FanIn(const std::vector<int64_t>& shape) {
  double product = 1;
  for (size_t i = 1; i < shape.size(); ++i) product *= static_cast<double>(shape[i]);
  return product;
}

float Uniform(RandomSource& random, double half_width) {
  return static_cast<float>((2 * random.Fraction() - 1) * half_width);
}

// Box and Muller 1958; one of the pair is thrown away for simplicity.
float Normal(RandomSource& random, double std) {
  const double radius = std::sqrt(-2 * std::log(1 - random.Fraction()));
  return static_cast<float>(std * radius * std::cos(2 * std::numbers::pi * random.Fraction()));
}

float Draw(const ParameterNeed& parameter, double fan_in, RandomSource& random) {
  switch (parameter.init) {
    case ParameterInit::kZeros:
      return 0;
    case ParameterInit::kOnes:
      return 1;
    case ParameterInit::kConstant:
      return static_cast<float>(parameter.scale);
    case ParameterInit::kUniform:
      return Uniform(random, parameter.scale);
    case ParameterInit::kUniformFanIn:
      return Uniform(random, parameter.scale / std::sqrt(fan_in));
    case ParameterInit::kNormal:
      return Normal(random, parameter.scale);
  }
  return 0;
}

}  // namespace

StatusOr<Layout> DeclaredLayout(const Plan& plan) {
  if (plan.program_kind != ProgramKind::kSource) {
    return FailedPrecondition("the plan {} is an archive, which brings its own weights", plan.name);
  }
  std::vector<TensorSpec> specs;
  for (const ParameterNeed& parameter : plan.parameters) specs.push_back(parameter.tensor);
  return Layout::Make(std::move(specs));
}

StatusOr<Weights> MakeInitialWeights(const Plan& plan) {
  AISLE_ASSIGN_OR_RETURN(Layout layout, DeclaredLayout(plan));
  std::vector<float> values;
  values.reserve(static_cast<size_t>(layout.element_count()));
  const SecretBytes seed = SeedOf(plan);
  for (size_t i = 0; i < plan.parameters.size(); ++i) {
    const ParameterNeed& parameter = plan.parameters[i];
    AesCtrStream stream(seed, parameter.tensor.name);
    int64_t elements = 1;
    for (const int64_t size : parameter.tensor.shape) elements *= size;
    const double fan_in = FanIn(parameter.tensor.shape);
    for (int64_t k = 0; k < elements; ++k) values.push_back(Draw(parameter, fan_in, stream));
  }
  return Weights{.layout = std::move(layout), .values = std::move(values)};
}

}  // namespace aisle
