/* latebind/ops.h - operators on tensors; everything but what plug-ins need. */
#ifndef LATEBIND_OPS_H
#define LATEBIND_OPS_H

#include "latebind/ops/autograd.h"
#include "latebind/ops/checkpoint.h"
#include "latebind/ops/device.h"
#include "latebind/ops/dlpack.h"
#include "latebind/ops/dtype.h"
#include "latebind/ops/functions.h"
#include "latebind/ops/kernel.h"
#include "latebind/ops/layer.h"
#include "latebind/ops/library.h"
#include "latebind/ops/module.h"
#include "latebind/ops/operator.h"
#include "latebind/ops/optimizer.h"
#include "latebind/ops/tensor.h"

#endif
