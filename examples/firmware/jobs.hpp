// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include "board.hpp"
#include "vmdk/core/failure.hpp"

/// What the firmware does with images, each in a file of its own: these files are also what the
/// table of sizes measures.
namespace jobs {

/// Sends the disk of a monolithicSparse image.
[[nodiscard]] vmdk::failure read_sparse(board::flash& image, board::line_out& out) noexcept;

/// Sends the disk of a streamOptimized image, which comes front to back.
[[nodiscard]] vmdk::failure read_stream(board::line_in& image, board::line_out& out) noexcept;

/// Sends a disk as a monolithicSparse image.
[[nodiscard]] vmdk::failure write_sparse(board::generated_disk& disk,
                                         board::line_out& out) noexcept;

/// Sends a disk as a streamOptimized image, its grains as they are.
[[nodiscard]] vmdk::failure write_stored(board::generated_disk& disk,
                                         board::line_out& out) noexcept;

/// Sends a disk as a streamOptimized image, compressed.
[[nodiscard]] vmdk::failure write_deflate(board::generated_disk& disk,
                                          board::line_out& out) noexcept;

}  // namespace jobs
