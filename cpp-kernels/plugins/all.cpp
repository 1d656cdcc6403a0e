// All plugins of this folder in one compilation, and with them all kernels as plain functions. A compiler is busy with the headers
// most of the time; so it sees them once, and each plugin is linked with its own functions and what these call
// (plugins.json: "verb"). Each file can be built by itself, too.
#define SLUICE_KERNEL_API extern "C" __attribute__((visibility("default")))
#include "library.cpp"

#include "sluice.h"

#include "bands.h"
#include "figures.h"
#include "handover.h"
#include "per-channel.h"
#include "reader.h"
#include "settings.h"
#include "spectra.h"
#include "streams.h"
#include "windowed.h"

// What sluice.h exports under one name belongs to a verb here.
#define JOINED_(verb, name) verb##_##name
#define JOINED(verb, name) JOINED_(verb, name)
#define OF_VERB extern "C" __attribute__((visibility("default")))

#undef SLUICE_KERNEL
#define SLUICE_KERNEL(process_block, configure_with, flush_at) \
  OF_VERB void *JOINED(VERB, configure)(const char *at, uint32_t length) { return sluice__result(configure_with(sluice_view(at, length))); } \
  OF_VERB void *JOINED(VERB, process)(SLUICE__BLOCK_PARAMETERS) { return sluice__process_with(process_block, SLUICE__BLOCK_ARGUMENTS); } \
  OF_VERB void *JOINED(VERB, flush)(uint64_t now) { \
    sluice_blocks blocks = flush_at(now); \
    return sluice__return(blocks.at, blocks.count); \
  }
#undef SLUICE_STATE
#define SLUICE_STATE(export_with, import_with) \
  OF_VERB void *JOINED(VERB, export_state)(void) { return sluice__state(export_with()); } \
  OF_VERB void *JOINED(VERB, import_state)(uint32_t version, const char *at, uint32_t length) { \
    return sluice__result(import_with(version, sluice_view(at, length))); \
  }

#define VERB anomaly
namespace verb_anomaly {
#include "anomaly.cpp"
}
#undef VERB
#define VERB band_power
namespace verb_band_power {
#include "band-power.cpp"
}
#undef VERB
#define VERB decode
namespace verb_decode {
#include "decode.cpp"
}
#undef VERB
#define VERB features
namespace verb_features {
#include "features.cpp"
}
#undef VERB
#define VERB fft
namespace verb_fft {
#include "fft.cpp"
}
#undef VERB
#define VERB filter
namespace verb_filter {
#include "filter.cpp"
}
#undef VERB
#define VERB resample
namespace verb_resample {
#include "resample.cpp"
}
#undef VERB
#define VERB rms
namespace verb_rms {
#include "rms.cpp"
}
#undef VERB
#define VERB scale
namespace verb_scale {
#include "scale.cpp"
}
#undef VERB
#define VERB tones
namespace verb_tones {
#include "tones.cpp"
}
#undef VERB
#define VERB vibration
namespace verb_vibration {
#include "vibration.cpp"
}
#undef VERB
#define VERB vibration_window
namespace verb_vibration_window {
#include "vibration-window.cpp"
}
#undef VERB
