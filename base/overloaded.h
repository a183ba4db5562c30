// A visitor made of lambdas: std::visit(Overloaded{[](const A&) {…}, [](const B&) {…}}, variant).
#pragma once

namespace aisle {

template <typename... Handlers>
struct Overloaded : Handlers... {
  using Handlers::operator()...;
};
template <typename... Handlers>
Overloaded(Handlers...) -> Overloaded<Handlers...>;

}  // namespace aisle
