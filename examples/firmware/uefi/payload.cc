// SPDX-License-Identifier: BSD-2-Clause
// What the loader unpacks and runs: another program for UEFI.
#include "efi.hpp"

using namespace std::string_view_literals;

extern "C" efi::status efi_main(efi::handle, efi::system_table* system) {
  efi::print(*system, "payload: I was compressed in a VMDK\r\n"sv);
  return 0;
}
