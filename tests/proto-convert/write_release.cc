// write_release SCHEMA FOLDER: writes FOLDER/messages.txt. Run once, when a release is made: releases/README.md.
#include <fstream>
#include <iostream>

#include "tests/proto-convert/release.h"

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "write_release SCHEMA FOLDER: the schema as protoc's --descriptor_set_out wrote it\n";
    return 2;
  }
  std::ofstream(std::string(argv[2]) + "/messages.txt") << aisle::Release(argv[1], argv[2]).WriteMessages();
  return 0;
}
