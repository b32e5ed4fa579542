#!/usr/bin/env bash
# Everything that is measured on a GPU, in stages of at most ten minutes each:
#
#   benchmarks/gpu.sh [STAGE ...]     all stages by default, correctness first
#
#   correctness  parity with PyTorch; jit and vmap, float32 and bfloat16, against the CPU's numbers
#   steps        one update of each system      epochs   one epoch of each system
#   seeds        1 to 16 seeds at once, against PyTorch with cuDNN one after another
#   many         64 seeds at once, in parts that fit
#   scan         our LSTM against cuDNN's, by shape
#   precision    float32, TensorFloat-32 and bfloat16, the same on both sides
#   memory       peak memory; runs per GPU until it is full
#   input        what reading takes of an epoch
#
# Results go to benchmarks/results/DEVICE, with an archive of them in $OUT where that is set. The
# environment is .venv, which is made if it is missing, or that of PYTHON. Without a network:
#
#   PYTHON=python3 benchmarks/gpu.sh correctness
#
# MODELS and REPEATS narrow a stage down; TOY=1 tries the script on a CPU, at the smallest sizes.
set -euo pipefail
cd "$(dirname "$0")/.."

stages=(correctness steps epochs seeds many scan precision memory input)
wanted=("${@:-${stages[@]}}")
for stage in "${wanted[@]}"; do
  case " ${stages[*]} " in
    *" $stage "*) ;;
    *)
      echo "benchmarks/gpu.sh: no stage $stage; choose from ${stages[*]}" >&2
      exit 2
      ;;
  esac
done

if [ -z "${PYTHON:-}" ]; then
  PYTHON=.venv/bin/python
  if [ ! -x "$PYTHON" ]; then
    python3 -m venv .venv
    "$PYTHON" -m pip install --quiet --editable '.[parity]'
    # Both libraries load cuDNN into one process: JAX must be built for the CUDA of PyTorch.
    cuda=$("$PYTHON" -c 'import torch; print((torch.version.cuda or "12").partition(".")[0])')
    "$PYTHON" -m pip install --quiet "jax[cuda$cuda]"
  fi
fi
# The checkout itself needs no network to be installed.
"$PYTHON" -c 'import jaxdep.benchmarks' 2>/dev/null ||
  "$PYTHON" -m pip install --quiet --no-deps --no-build-isolation --editable .

if [ -n "${TOY:-}" ]; then
  size=tiny models=${MODELS:-jamfn} repeats=${REPEATS:-1} few=2 many=3 full=4
else
  size=paper models=${MODELS:-jamfn amm mddr smfl depformer} repeats=${REPEATS:-5}
  few=16 many=64 full=256
fi
read -r platform device < <("$PYTHON" -c '
import jax
device = jax.devices()[0]
print(device.platform, "-".join(device.device_kind.lower().split()).replace("/", "-"))')
if [ "$platform" = cpu ] && [ -z "${TOY:-}" ]; then
  echo "benchmarks/gpu.sh: JAX sees no GPU; install jax[cuda12] or jax[cuda13] into the environment" \
    "of $PYTHON, or set TOY=1 for a trial on a CPU" >&2
  exit 2
fi
results=${RESULTS:-benchmarks/results}/$device
mkdir -p "$results"
failed=()

jaxdep() { "$PYTHON" -m jaxdep "$@"; }
bench() { # name, model, further options; a row that fails stops no other
  local name=$1 model=$2
  shift 2
  jaxdep bench "$name" --model "$model" --size "$size" --repeats "$repeats" --out "$results" "$@" ||
    failed+=("$name $model")
}
each() { for model in $models; do bench "$1" "$model"; done; }

correctness() {
  each correctness
  for model in $models; do # its processes share the GPU
    XLA_PYTHON_CLIENT_PREALLOCATE=false jaxdep parity "$model" >"$results/parity-$model.txt" ||
      failed+=("parity $model")
    cat "$results/parity-$model.txt"
  done
}
steps() { each train-step; }
epochs() { each epoch; }
seeds() { bench seed-counts jamfn --seeds "$few"; }
many() { bench seeds jamfn --seeds "$many"; }
scan() {
  if [ "$platform" = cpu ]; then echo "scan: left out, cuDNN needs a GPU"; else bench cudnn jamfn; fi
}
precision() { each precision; }
memory() {
  bench memory jamfn
  XLA_PYTHON_CLIENT_MEM_FRACTION=0.95 bench capacity jamfn --seeds "$full"
}
input() {
  bench input jamfn
  if [ -z "${TOY:-}" ]; then bench input depformer; fi
}

for stage in "${wanted[@]}"; do
  began=$SECONDS
  echo "== $stage on $device"
  "$stage"
  echo "== $stage took $((SECONDS - began)) s"
done
if [ -n "${OUT:-}" ]; then
  tar -czf "$OUT/$device.tar.gz" -C "$(dirname "$results")" "$device"
fi
if [ ${#failed[@]} -gt 0 ]; then
  printf 'FAILED: %s\n' "${failed[@]}" >&2
  exit 1
fi
