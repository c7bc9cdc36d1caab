// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace vmdk::detail {

/// What sectors of an extent's file are used for.
enum class sector_use_kind : std::uint8_t {
  header,
  descriptor,
  directory,
  table,
  footer,
  region,  ///< A part of a seSparse file that check does not look into.
  grain,
};

/// A run of sectors, what it is used for and who says so.
struct sector_use {
  sector_use_kind kind = sector_use_kind::header;
  std::uint64_t first_sector = 0;
  std::uint64_t sectors = 0;
  std::uint64_t named_at = 0;  ///< Byte offset of the field or entry that names it.
  std::uint64_t table = 0;
  std::uint32_t entry = 0;
};

/// Sectors of a file from one up to another.
struct sector_window {
  std::uint64_t first = 0;
  std::uint64_t end = 0;
};

/// Sectors that have more than one user, and the first two of these in the order of the walk.
struct shared_run {
  std::uint64_t first_sector = 0;
  std::uint64_t sectors = 0;
  std::uint64_t users = 0;  ///< Not counting what is reserved.
  bool has_user = false;
  bool has_second_user = false;
  sector_use user{};
  sector_use second_user{};

  constexpr void add(const sector_use& use, bool reserved) noexcept {
    if (!reserved) ++users;
    if (!has_user) {
      has_user = true;
      user = use;
    } else if (!reserved && !has_second_user) {
      has_second_user = true;
      second_user = use;
    }
  }
};

/// The shared runs with the lowest sectors, and how many there are in all.
struct shared_runs {
  static constexpr std::size_t most_kept = 100;
  std::array<shared_run, most_kept> kept{};
  std::size_t kept_count = 0;
  std::uint64_t count = 0;

  constexpr void clear() noexcept {
    kept_count = 0;
    count = 0;
  }
  constexpr void add(std::uint64_t first_sector, std::uint64_t sectors) noexcept {
    ++count;
    if (kept_count == most_kept) return;
    shared_run& run = kept.data()[kept_count++];
    run = {};
    run.first_sector = first_sector;
    run.sectors = sectors;
  }
};

}  // namespace vmdk::detail
