/* loads.h - what is measured: one file each. */
#ifndef BENCH_OPS_LOADS_H
#define BENCH_OPS_LOADS_H

void load_calls(void);
void load_training(void);

#endif
