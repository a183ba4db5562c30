// Keys, nonces and signatures of a fuzz program are the same in every run and on every machine, so that a kept input
// reaches the same code everywhere. All randomness of the product comes from OpenSSL, and OpenSSL lets a program put a
// generator of its own in place: here one that starts from a fixed seed. Never link this into anything but fuzz
// programs.
#pragma once

namespace aisle::fuzz {

// The generator's draws begin again; the first call puts it in place. Draws in several threads are each in their turn,
// in no fixed one.
void DrawAnew();

}  // namespace aisle::fuzz
