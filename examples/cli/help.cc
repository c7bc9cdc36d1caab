// SPDX-License-Identifier: BSD-2-Clause
#include "help.hpp"

namespace vmdk::cli {

const std::string_view help_text = R"(Usage: vmdk COMMAND ...

Converts, makes, inspects, checks, repairs and compares VMDK disk images.

  vmdk convert SRC DST       raw disk to VMDK, VMDK to raw, VMDK to VMDK
  vmdk create --size N FILE  an empty disk
  vmdk create --parent PARENT FILE
                             a child of the disk PARENT
  vmdk info FILE             what an image is and holds
  vmdk check FILE            whether an image is sound, and what is wrong if not
  vmdk repair FILE           mend its tables, directories, headers and markers
  vmdk map FILE              which ranges of the disk are stored, and where
  vmdk compare FIRST SECOND  whether two disks have the same content
  vmdk layout -t TYPE --capacity N
                             where everything in an image would go

  vmdk COMMAND --help        the options of a command, with examples
  vmdk --version             the version

Exit status: 0 done, 1 a negative answer (disks differ, an image is damaged),
2 an error, which one line on standard error explains.
)";

namespace {

constexpr std::string_view convert_help = R"(Usage: vmdk convert [OPTION]... SRC DST

Writes the disk SRC as DST. - is standard input or output. DST appears only when
it is complete; one that exists is refused without --force, and devices and
FIFOs are written in place.

  -f FORMAT       what SRC is: raw or vmdk. By default vmdk if its name ends in
                  .vmdk, else raw; where its content says otherwise, it is
                  refused until -f says which. Standard input needs -f.
  -t TYPE         what DST becomes: monolithicSparse, streamOptimized,
                  twoGbMaxExtentSparse, monolithicFlat, twoGbMaxExtentFlat or
                  raw. By default monolithicSparse if its name ends in .vmdk,
                  else raw.
  -g SIZE         grain size, a power of two from 4K to 1M; default 64K
  -l LEVEL        how small streamOptimized becomes: 0 .. 9, libdeflate 0 .. 12;
                  default 5 for libdeflate, 6 for others
  -j THREADS      threads that compress and expand; default: one a processor
  --codec CODEC   what compresses and expands: libdeflate (default), zlib,
                  builtin, or stored, which does not compress; builtin is the
                  default of a program that was built without the first two
  -o KEY=VALUE    a setting of the image; may be given several times:
       adapterType=lsilogic|ide|buslogic|legacyESX   virtualHWVersion=N
       capacity=grain|exact  round the disk up to whole grains (default), or not
       name=FILE             the file name in the descriptor (default: DST's)
       CID=HEX   uuid=UUID   toolsVersion=N   ddb.KEY=VALUE
       tables=end|front      where a stream has its tables (default: end; 7-Zip
                             opens no stream with tables in front)
       mkimg=yes             as FreeBSD's mkimg lays its images out, which
                             libvmdk refuses for their extent without a name
  --size N        how large a raw disk from a pipe is (K, M, G, T understood)
  --parent FILE   write a child of the disk FILE that holds what differs from it
  --allow-dir DIR a further folder that SRC's other files may lie in
  --force         replace DST and its extents if they exist; overwrite a device
  -v, --verbose   say on standard error what was written

Examples:
  vmdk convert disk.img disk.vmdk
  vmdk convert disk.vmdk disk.img
  vmdk convert -o adapterType=ide -o capacity=exact disk.img disk.vmdk
  vmdk convert -t monolithicSparse disk.img - | ssh host 'cat >disk.vmdk'
  vmdk convert -t twoGbMaxExtentSparse disk.vmdk split.vmdk
  vmdk convert -t streamOptimized disk.img - | ssh host 'cat >disk.vmdk'
  ssh host 'cat disk.vmdk' | vmdk convert -f vmdk - disk.img
  xz -dc disk.img.xz | vmdk convert -f raw --size 8G - disk.vmdk
)";

constexpr std::string_view info_help = R"(Usage: vmdk info [OPTION]... FILE

Says what a VMDK is and holds: type, capacity, what is stored, header,
descriptor, extents, parents. One of its files that is missing is told of, and
is no error.

  --json          as JSON (docs/CLI.md has the schema)
  --allow-dir DIR a further folder that extents and parents may lie in

Examples:
  vmdk info disk.vmdk
  vmdk info --json disk.vmdk | jq .capacity_bytes
)";

constexpr std::string_view layout_help = R"(Usage: vmdk layout -t TYPE --capacity N [OPTION]...

Shows every region of an image and its size, without making a file.

  -t TYPE         any but raw, see convert
  --capacity N    the size of the disk (K, M, G, T understood)
  -g SIZE         grain size, a power of two from 4K to 1M; default 64K
  --stored N      how many grains hold data; default 0
  -o KEY=VALUE    capacity=grain|exact or tables=end|front, as for convert
  --json          as JSON (docs/CLI.md has the schema)

Example:
  vmdk layout -t monolithicSparse --capacity 64G --stored 1000
)";

constexpr std::string_view compare_help = R"(Usage: vmdk compare [OPTION]... FIRST SECOND

Compares the content of two disks, raw or VMDK; how they are stored does not
matter. Where one is longer, its tail counts as equal if it is all zeros.
Exit status: 0 identical, 1 different, 2 an error.

  -f FORMAT       what FIRST is: raw or vmdk. By default vmdk if its name ends
                  in .vmdk, else raw; where its content says otherwise, it is
                  refused until -f says which. Standard input needs -f.
  -F FORMAT       the same for SECOND
  --allow-dir DIR a further folder that other files of the disks may lie in

Example:
  vmdk compare disk.img disk.vmdk
)";

constexpr std::string_view check_help = R"(Usage: vmdk check [OPTION]... FILE

Looks at every header, descriptor, table and compressed grain of an image, of
its extents and of its parents. Prints a line for each broken rule, and a
summary.
Exit status: 0 sound, 1 errors or not closed by its last writer, 2 it cannot
be read.

  --json          as JSON (docs/CLI.md has the schema)
  --codec CODEC   what expands compressed grains: libdeflate (default), zlib or
                  builtin, where they are built in
  --allow-dir DIR a further folder that extents and parents may lie in

Example:
  vmdk check disk.vmdk
)";

constexpr std::string_view repair_help = R"(Usage: vmdk repair [OPTION]... FILE

Mends the metadata of an image in place: tables, directories and headers from
their copies, a stream's tables from its markers, the lost end of a stream. What
grains hold is not changed. Prints a line for each step, and a summary; says
what cannot be repaired. Extents of a split disk are repaired too.
Exit status: 0 sound now, 1 something is left, 2 it cannot be repaired or read.

  --dry-run       say what would be done, and change nothing
  --keep COPY     before the first change save the file as COPY
  --json          as JSON (docs/CLI.md has the schema)
  --codec CODEC   what expands compressed grains: libdeflate (default), zlib or
                  builtin, where they are built in

Examples:
  vmdk repair --dry-run disk.vmdk
  vmdk repair --keep disk.vmdk.damaged disk.vmdk
)";

constexpr std::string_view map_help = R"(Usage: vmdk map [OPTION]... FILE

Prints which ranges of the disk are stored, compressed or zero, and in which
file each of them lies.

  --json          as JSON (docs/CLI.md has the schema)
  --allow-dir DIR a further folder that extents and parents may lie in

Example:
  vmdk map disk.vmdk
)";

constexpr std::string_view create_help = R"(Usage: vmdk create --size N [OPTION]... FILE
       vmdk create --parent PARENT [OPTION]... FILE

Makes an empty disk, or a child that has the content of its parent until
something is written to it. FILE may be -, standard output, for types of one
file.

  --size N        how large the disk is (K, M, G, T understood)
  --parent PARENT the VMDK that FILE becomes a monolithicSparse child of
  -t TYPE         as for convert
  -g SIZE         grain size, as for convert
  -o KEY=VALUE    a setting of the image, as for convert
  --allow-dir DIR a further folder that PARENT's other files may lie in
  --force         replace FILE and its extents if they exist
  -v, --verbose   say on standard error what was written

Examples:
  vmdk create --size 64G disk.vmdk
  vmdk create --parent disk.vmdk snapshot.vmdk
)";

}  // namespace

std::string_view help_for(std::string_view command) noexcept {
  if (command == "convert") return convert_help;
  if (command == "info") return info_help;
  if (command == "layout") return layout_help;
  if (command == "compare") return compare_help;
  if (command == "check") return check_help;
  if (command == "repair") return repair_help;
  if (command == "map") return map_help;
  if (command == "create") return create_help;
  return help_text;
}

}  // namespace vmdk::cli
