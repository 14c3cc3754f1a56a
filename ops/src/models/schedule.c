/* schedule.c - rates of learning over the steps of a training. */
#include "latebind/ops/optimizer.h"

#include <math.h>

static const double half_turn = 3.14159265358979323846;

double lbo_rate_at(lbo_schedule schedule, double base, int64_t step,
                   int64_t warmup, int64_t period, double factor)
{
    if (step < warmup)
        return base * (double)(step < 0 ? 1 : step + 1) / (double)warmup;
    const int64_t after = warmup > 0 ? step - warmup : step;
    if (schedule == LBO_CONSTANT || period <= 0)
        return base;
    if (schedule == LBO_STEPWISE)
        return base * pow(factor, (double)(after / period));
    if (after >= period)
        return base * factor;
    const double share = (double)after / (double)period;
    return schedule == LBO_COSINE
               ? base *
                     (factor + (1 - factor) * (1 + cos(half_turn * share)) / 2)
               : base * (1 - (1 - factor) * share);
}
