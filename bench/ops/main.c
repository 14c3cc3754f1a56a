/* main.c - the operators beside PyTorch's C++ library and raw BLAS. */
#include "loads.h"
#include "measure.h"
#include "peers_torch.h"

#include <stdio.h>

int main(int argc, char **argv)
{
    int status;
    char peers[100];

    (void)snprintf(peers, sizeof peers, "PyTorch %s", torch_version());
    if (!bench_open(argc, argv, peers, &status))
        return status;
    torch_open(1);
    if (bench_wanted("calls"))
        load_calls();
    if (bench_wanted("training"))
        load_training();
    bench_close();
    return 0;
}
