// SPDX-License-Identifier: BSD-2-Clause
#pragma once

// What needs an operating system: its files, pipes, devices, folders and threads. Here, unlike
// everywhere else, names and lists live on the heap; the program stops where there is no memory for
// them.

#include "vmdk/hosted/aligned_buffer.hpp"
#include "vmdk/hosted/atomic_file.hpp"
#include "vmdk/hosted/device_sink.hpp"
#include "vmdk/hosted/directory.hpp"
#include "vmdk/hosted/file_sink.hpp"
#include "vmdk/hosted/file_source.hpp"
#include "vmdk/hosted/file_storage.hpp"
#include "vmdk/hosted/mapped_file.hpp"
#include "vmdk/hosted/ordered_pipeline.hpp"
#include "vmdk/hosted/output_file.hpp"
#include "vmdk/hosted/parallel.hpp"
#include "vmdk/hosted/parallel_read.hpp"
#include "vmdk/hosted/pipe_source.hpp"
#include "vmdk/hosted/sink_directory.hpp"
#include "vmdk/hosted/stream_sink.hpp"
#include "vmdk/hosted/thread_factory.hpp"
