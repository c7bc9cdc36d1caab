// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

/// The few services of UEFI that the examples call, where its tables have them. The rest of the
/// tables is room. Compiled for a target with Microsoft's calling convention, which is UEFI's.
namespace efi {

using status = std::size_t;
using handle = void*;

struct text_output {
  void* reset;
  status (*output_string)(text_output* self, const char16_t* text);
};

enum class memory_type : std::uint32_t { loader_data = 2 };

struct boot_services {
  std::byte header[24];
  void* before_allocate_pool[5];
  status (*allocate_pool)(memory_type type, std::size_t bytes, void** memory);
  void* before_load_image[16];
  status (*load_image)(bool boot_policy, handle parent, void* device_path, const void* image,
                       std::size_t bytes, handle* loaded);
  status (*start_image)(handle image, std::size_t* exit_bytes, char16_t** exit_data);
};
static_assert(offsetof(boot_services, allocate_pool) == 64);
static_assert(offsetof(boot_services, load_image) == 200);

enum class reset_type : std::uint32_t { cold, warm, shutdown };

struct runtime_services {
  std::byte header[24];
  void* before_reset_system[10];
  void (*reset_system)(reset_type type, status why, std::size_t bytes, const void* data);
};
static_assert(offsetof(runtime_services, reset_system) == 104);

struct system_table {
  std::byte header[24];
  const char16_t* vendor;
  std::uint32_t revision;
  handle console_in_handle;
  void* console_in;
  handle console_out_handle;
  text_output* console_out;
  handle standard_error_handle;
  text_output* standard_error;
  runtime_services* runtime;
  boot_services* boot;
};
static_assert(offsetof(system_table, boot) == 96);

/// Prints ASCII text on the console.
inline void print(const system_table& system, std::string_view text) noexcept {
  for (const char c : text) {
    const char16_t one[] = {static_cast<unsigned char>(c), 0};
    (void)system.console_out->output_string(system.console_out, one);
  }
}

}  // namespace efi

extern "C" efi::status efi_main(efi::handle image, efi::system_table* system);
