// SPDX-License-Identifier: BSD-2-Clause
// Carries a streamOptimized image, unpacks the program that is its disk, and runs it.
#include "efi.hpp"
#include "vmdk/codec/inflate.hpp"
#include "vmdk/io/memory.hpp"
#include "vmdk/reader/unpack.hpp"

using namespace std::string_view_literals;

// The assembler finds the file in the folders that the compiler is given with -I.
asm(R"(
  .section .rdata, "dr"
  .balign 16
  .globl carried_begin
carried_begin:
  .incbin "carried.vmdk"
  .globl carried_end
carried_end:
  .text
)");
extern "C" const std::byte carried_begin[], carried_end[];

namespace {

/// Reads memory front to back: a SequentialSource.
class memory_line {
 public:
  explicit memory_line(vmdk::byte_view bytes) noexcept : left_(bytes) {}

  [[nodiscard]] vmdk::result<std::size_t> read(vmdk::byte_span out) noexcept {
    const std::size_t now = vmdk::smaller_of(out.size(), left_.size());
    vmdk::copy_bytes(out.data(), left_.data(), now);
    left_ = left_.subspan(now);
    return now;
  }

 private:
  vmdk::byte_view left_;
};

vmdk::inflate decoder;
std::byte grain[64 << 10];
std::byte input[512];

/// Unpacks the disk into memory that it takes from the firmware.
vmdk::result<vmdk::byte_view> unpack(efi::boot_services& boot) noexcept {
  memory_line image({carried_begin, carried_end});
  vmdk::stream_reader<memory_line> stream(image);
  if (const auto opened = stream.open({}); !opened) return opened.error();
  const auto bytes = static_cast<std::size_t>(stream.size());
  void* memory = nullptr;
  if (boot.allocate_pool(efi::memory_type::loader_data, bytes, &memory) != 0) {
    return vmdk::sink_failure(vmdk::errc::sink_full, 0);
  }
  vmdk::memory_sink disk({static_cast<std::byte*>(memory), bytes});
  const auto unpacked =
      vmdk::unpack_stream(stream, disk, decoder, {.grain = grain, .input = input});
  if (!unpacked) return unpacked.error();
  return disk.written();
}

}  // namespace

extern "C" efi::status efi_main(efi::handle self, efi::system_table* system) {
  efi::boot_services& boot = *system->boot;
  const auto disk = unpack(boot);
  efi::handle program = nullptr;
  if (!disk) {
    efi::print(*system, "loader: the image is damaged\r\n"sv);
  } else if (boot.load_image(false, self, nullptr, disk->data(), disk->size(), &program) != 0) {
    efi::print(*system, "loader: the image holds no program\r\n"sv);
  } else if (boot.start_image(program, nullptr, nullptr) == 0) {
    efi::print(*system, "loader: done\r\n"sv);
  }
  system->runtime->reset_system(efi::reset_type::shutdown, 0, 0, nullptr);
  return 1;
}
