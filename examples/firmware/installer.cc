// SPDX-License-Identifier: BSD-2-Clause
// Writes the disk of a streamOptimized image, which comes through a pipe, to a file or a device:
//   curl https://... | installer DISK
// All of its memory is here: it has no heap, and keeps neither the image nor the disk.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "vmdk/codec/inflate.hpp"
#include "vmdk/core/to_string.hpp"
#include "vmdk/reader/unpack.hpp"

namespace {

/// A file descriptor, read front to back: a SequentialSource.
class input {
 public:
  [[nodiscard]] vmdk::result<std::size_t> read(vmdk::byte_span out) noexcept {
    ssize_t got = 0;
    do {
      got = ::read(STDIN_FILENO, out.data(), out.size());
    } while (got < 0 && errno == EINTR);
    if (got < 0) {
      return vmdk::source_failure(vmdk::errc::read_failed, 0, static_cast<std::uint32_t>(errno));
    }
    return static_cast<std::size_t>(got);
  }
};

/// A new file or a device: a HoleSink.
class output {
 public:
  /// Opens it, and empties it where it is a file.
  [[nodiscard]] vmdk::failure open(const char* path) noexcept {
    struct stat status{};
    file_ = ::open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (file_ < 0 || ::fstat(file_, &status) != 0) return failed();
    has_holes_ = S_ISREG(status.st_mode);
    return vmdk::no_failure;
  }

  [[nodiscard]] vmdk::failure write(vmdk::byte_view bytes) noexcept {
    while (!bytes.empty()) {
      const ssize_t done = ::write(file_, bytes.data(), bytes.size());
      if (done < 0 && errno == EINTR) continue;
      if (done <= 0) return failed();
      bytes = bytes.subspan(static_cast<std::size_t>(done));
      at_ += static_cast<std::uint64_t>(done);
    }
    return vmdk::no_failure;
  }

  [[nodiscard]] vmdk::failure skip(std::uint64_t n) noexcept {
    if (has_holes_) {
      at_ += n;
      const auto end = static_cast<off_t>(at_);
      return ::ftruncate(file_, end) == 0 && ::lseek(file_, end, SEEK_SET) == end ? vmdk::no_failure
                                                                                  : failed();
    }
    static constexpr std::byte zeros[4096]{};
    while (n != 0) {
      const auto now = static_cast<std::size_t>(vmdk::smaller_of<std::uint64_t>(n, sizeof zeros));
      if (vmdk::failure f = write({zeros, now})) return f;
      n -= now;
    }
    return vmdk::no_failure;
  }

  /// Waits until everything is on the medium.
  [[nodiscard]] vmdk::failure finish() noexcept {
    // Pipes and the like have no medium.
    if (::fsync(file_) != 0 && errno != EINVAL) return failed();
    return ::close(file_) == 0 ? vmdk::no_failure : failed();
  }

 private:
  [[nodiscard]] vmdk::failure failed() const noexcept {
    return vmdk::sink_failure(vmdk::errc::write_failed, at_, static_cast<std::uint32_t>(errno));
  }

  int file_ = -1;
  bool has_holes_ = false;
  std::uint64_t at_ = 0;
};

/// Everything that the program keeps.
struct memory {
  input image;
  output disk;
  vmdk::stream_reader<input> stream{image};
  vmdk::small_inflate decoder;
  std::byte grain[64 << 10];
  std::byte piece[4 << 10];
};
static_assert(sizeof(memory) <= 128 << 10);
constinit memory all{};

[[nodiscard]] vmdk::failure install(const char* path) noexcept {
  if (const auto opened = all.stream.open({}); !opened) return opened.error();
  if (vmdk::failure f = all.disk.open(path)) return f;
  const auto written = vmdk::unpack_stream(all.stream, all.disk, all.decoder,
                                           {.grain = all.grain, .input = all.piece});
  return written ? all.disk.finish() : written.error();
}

void say(std::string_view text) noexcept {
  static_cast<void>(!::write(STDERR_FILENO, text.data(), text.size()));
}

}  // namespace

int main(int argc, char** argv) {
  using namespace std::string_view_literals;
  if (argc != 2) {
    say("usage: installer DISK <IMAGE\n"sv);
    return 2;
  }
  const vmdk::failure why = install(argv[1]);
  if (!why) return 0;
  say("installer: "sv);
  say(vmdk::to_string(why.code));
  say("\n"sv);
  return 1;
}
