"""One fuzz target as two things: a libFuzzer binary, and an ordinary test that replays its inputs."""

load("@rules_cc//cc:defs.bzl", "cc_binary", "cc_test")

def fuzz_target(name, srcs = None, seeds = None, dict = None, deps = [], fuzz_copts = [], replay_tags = []):
    """Makes :NAME_fuzz (needs --config=fuzz, see tools/fuzz) and the test :NAME_replay.

    Args:
      name: the stem; tools/fuzz takes it too.
      srcs: sources that define LLVMFuzzerTestOneInput. Default: NAME_fuzz.cc.
      seeds: valid and nearly valid inputs. Default: seeds/NAME/**; there must be at least one.
      dict: libFuzzer's dictionary. Default: dictionaries/NAME.dict where that exists.
      deps: what the sources need beside the library, its tests' support and the targets' own.
      fuzz_copts: for the libFuzzer binary alone.
      replay_tags: for the test alone.
    """
    srcs = srcs or [name + "_fuzz.cc"]
    deps = deps + ["//:vmdk", "//tests:support", ":fuzzing"]
    seeds = seeds or native.glob(["seeds/" + name + "/**"])
    dicts = [dict] if dict else native.glob(
        ["dictionaries/" + name + ".dict"],
        allow_empty = True,
    )

    # Inputs that once failed are replayed for good.
    native.filegroup(
        name = name + "_inputs",
        srcs = seeds + native.glob(
            ["regressions/" + name + "/**"],
            allow_empty = True,
        ),
    )

    cc_binary(
        name = name + "_fuzz",
        srcs = srcs,
        copts = fuzz_copts,
        data = [":" + name + "_inputs"] + dicts,
        linkopts = ["-fsanitize=fuzzer"],
        tags = [
            "fuzz",
            "manual",
        ],
        deps = deps,
    )

    cc_test(
        name = name + "_replay",
        size = "small",
        srcs = srcs,
        args = ["$(rootpaths :" + name + "_inputs)"],
        data = [":" + name + "_inputs"],
        # Under the sanitizers the fuzzer itself replays its inputs before it makes new ones.
        tags = ["no-sanitizer"] + replay_tags,
        deps = deps + [":replay_main"],
    )
