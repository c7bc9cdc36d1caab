// SPDX-License-Identifier: BSD-2-Clause
#include "vmdk/core/endian.hpp"

int main() {
  const vmdk::le<unsigned> magic = 0x564D444B;
  return magic == 0x564D444B ? 0 : 1;
}
