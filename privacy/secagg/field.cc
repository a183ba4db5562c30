#include "privacy/secagg/field.h"

#include <vector>

#include "base/check.h"

namespace aisle::secagg {

FieldElement Inverse(FieldElement a) {
  // p - 2 = 2^61 - 3 is, from its highest bit, 59 ones, a zero and a one. The exponent is public.
  FieldElement power = a;
  for (int bit = 1; bit < 59; ++bit) power = Multiply(Multiply(power, power), a);
  power = Multiply(power, power);
  return Multiply(Multiply(power, power), a);
}

void InvertAll(std::span<FieldElement> elements) {
  std::vector<FieldElement> products;  // products[i] = elements[0] ... elements[i - 1].
  products.reserve(elements.size());
  FieldElement running{1};
  for (const FieldElement element : elements) {
    products.push_back(running);
    running = Multiply(running, element);
  }
  AISLE_CHECK(running.value != 0, "zero has no inverse");
  FieldElement inverse = Inverse(running);
  for (size_t i = elements.size(); i-- > 0;) {
    const FieldElement element = elements[i];
    elements[i] = Multiply(inverse, products[i]);
    inverse = Multiply(inverse, element);
  }
}

FieldElement DrawElement(RandomSource& random) {
  for (;;) {
    const uint64_t drawn = random.Draw64() >> 3;
    if (drawn != FieldElement::kModulus) return {drawn};
  }
}

}  // namespace aisle::secagg
