// peers_torch.cpp - see peers_torch.h.
#include "peers_torch.h"

#include "shapes.h"

#include <torch/library.h>
#include <torch/torch.h>

#include <cstring>
#include <map>
#include <memory>
#include <string>

namespace
{

void empty_kernel(const at::Tensor &, const at::Tensor &)
{
}

struct Operands {
    at::Tensor a, b, out;
};

// Made once for each size, so that only calls are measured.
Operands &operands(size_t elements)
{
    static std::map<size_t, Operands> kept;
    const auto found = kept.find(elements);
    if (found != kept.end())
        return found->second;
    const auto ones = [&] {
        return at::ones({static_cast<int64_t>(elements)});
    };
    return kept[elements] = {ones(), ones(), ones()};
}

// ---- models --------------------------------------------------------------

struct Mlp : torch::nn::Module {
    torch::nn::Linear a{nullptr}, b{nullptr}, c{nullptr};

    Mlp()
    {
        a = register_module("0", torch::nn::Linear(64, BENCH_MLP_HIDDEN));
        b = register_module(
            "2", torch::nn::Linear(BENCH_MLP_HIDDEN, BENCH_MLP_HIDDEN));
        c = register_module("4", torch::nn::Linear(BENCH_MLP_HIDDEN, 10));
    }
    at::Tensor forward(at::Tensor x)
    {
        return c(torch::relu(b(torch::relu(a(x)))));
    }
};

struct Cnn : torch::nn::Module {
    torch::nn::Conv2d a{nullptr}, b{nullptr};
    torch::nn::Linear c{nullptr};

    Cnn()
    {
        using torch::nn::Conv2dOptions;
        const int64_t n = BENCH_CNN_WIDTH;
        a = register_module(
            "0", torch::nn::Conv2d(Conv2dOptions(1, n, 3).padding(1)));
        b = register_module(
            "3", torch::nn::Conv2d(Conv2dOptions(n, 2 * n, 3).padding(1)));
        c = register_module("7", torch::nn::Linear(2 * n * 4, 10));
    }
    at::Tensor forward(at::Tensor x)
    {
        x = torch::max_pool2d(torch::relu(a(x)), 2);
        x = torch::max_pool2d(torch::relu(b(x)), 2);
        return c(x.flatten(1));
    }
};

struct Block : torch::nn::Module {
    torch::nn::LayerNorm before{nullptr}, middle{nullptr};
    torch::nn::Linear qkv{nullptr}, project{nullptr}, up{nullptr},
        down{nullptr};

    Block()
    {
        const int64_t n = BENCH_GPT_SIZE;
        using torch::nn::LayerNormOptions;
        before = register_module("before",
                                 torch::nn::LayerNorm(LayerNormOptions({n})));
        middle = register_module("middle",
                                 torch::nn::LayerNorm(LayerNormOptions({n})));
        qkv = register_module("qkv", torch::nn::Linear(n, 3 * n));
        project = register_module("project", torch::nn::Linear(n, n));
        up = register_module("up", torch::nn::Linear(n, 4 * n));
        down = register_module("down", torch::nn::Linear(4 * n, n));
    }
    at::Tensor attend(at::Tensor x, const at::Tensor &mask)
    {
        const int64_t batch = x.size(0), time = x.size(1);
        const int64_t heads = BENCH_GPT_HEADS, each = BENCH_GPT_SIZE / heads;
        auto parts =
            qkv(x).view({batch, time, 3, heads, each}).permute({2, 0, 3, 1, 4});
        auto scores = torch::matmul(parts[0], parts[1].transpose(-2, -1)) /
                      std::sqrt(static_cast<double>(each));
        auto weights = torch::softmax(scores.masked_fill(mask, -INFINITY), -1);
        auto mixed = torch::matmul(weights, parts[2]).transpose(1, 2);
        return project(mixed.reshape({batch, time, BENCH_GPT_SIZE}));
    }
    at::Tensor forward(at::Tensor x, const at::Tensor &mask)
    {
        x = x + attend(before(x), mask);
        return x + down(torch::gelu(up(middle(x))));
    }
};

struct Gpt : torch::nn::Module {
    torch::nn::Embedding symbols{nullptr}, places{nullptr};
    std::vector<std::shared_ptr<Block>> blocks;
    torch::nn::LayerNorm last{nullptr};
    torch::nn::Linear head{nullptr};
    at::Tensor mask;

    Gpt()
    {
        const int64_t n = BENCH_GPT_SIZE, time = BENCH_GPT_CONTEXT;
        symbols = register_module("symbols",
                                  torch::nn::Embedding(BENCH_GPT_SYMBOLS, n));
        places = register_module("places", torch::nn::Embedding(time, n));
        for (int i = 0; i < BENCH_GPT_BLOCKS; i++)
            blocks.push_back(register_module("block" + std::to_string(i),
                                             std::make_shared<Block>()));
        last = register_module(
            "last", torch::nn::LayerNorm(torch::nn::LayerNormOptions({n})));
        head = register_module(
            "head",
            torch::nn::Linear(
                torch::nn::LinearOptions(n, BENCH_GPT_SYMBOLS).bias(false)));
        mask = torch::ones({time, time}, torch::kBool).triu(1);
    }
    at::Tensor forward(at::Tensor x)
    {
        auto h = symbols(x) + places->weight;
        for (auto &block : blocks)
            h = block->forward(h, mask);
        return head(last(h)).reshape({-1, BENCH_GPT_SYMBOLS});
    }
};

// A model with its data and its optimizer, ready for steps.
template <class Model> struct Trainer {
    std::shared_ptr<Model> model = std::make_shared<Model>();
    std::unique_ptr<torch::optim::Optimizer> optimizer =
        std::make_unique<torch::optim::Adam>(model->parameters(),
                                             torch::optim::AdamOptions(1e-3));
    at::Tensor in, target;

    void step()
    {
        optimizer->zero_grad();
        auto loss =
            torch::nn::functional::cross_entropy(model->forward(in), target);
        loss.backward();
        optimizer->step();
    }
};

template <class Model>
void train(at::Tensor in, int64_t rows, int64_t classes, size_t steps)
{
    static std::unique_ptr<Trainer<Model>> kept;
    if (!kept) {
        kept = std::make_unique<Trainer<Model>>();
        kept->in = in;
        kept->target = torch::randint(classes, {rows}, torch::kLong);
    }
    for (size_t i = 0; i < steps; i++)
        kept->step();
}

} // namespace

TORCH_LIBRARY(latebind_bench, m)
{
    m.def("empty(Tensor a, Tensor b) -> ()");
}

TORCH_LIBRARY_IMPL(latebind_bench, CPU, m)
{
    m.impl("empty", empty_kernel);
}

void torch_open(int threads)
{
    at::set_num_threads(threads);
    torch::manual_seed(1);
}

const char *torch_version(void)
{
    return TORCH_VERSION;
}

void torch_call_empty(size_t calls)
{
    static auto op = c10::Dispatcher::singleton()
                         .findSchemaOrThrow("latebind_bench::empty", "")
                         .typed<void(const at::Tensor &, const at::Tensor &)>();
    c10::InferenceMode guard;
    const Operands &with = operands(16);
    for (size_t i = 0; i < calls; i++)
        op.call(with.a, with.b);
}

void torch_add_out(size_t calls, size_t elements)
{
    c10::InferenceMode guard;
    Operands &with = operands(elements);
    for (size_t i = 0; i < calls; i++)
        at::add_out(with.out, with.a, with.b);
}

void torch_add(size_t calls, size_t elements)
{
    c10::InferenceMode guard;
    const Operands &with = operands(elements);
    for (size_t i = 0; i < calls; i++)
        at::add(with.a, with.b);
}

void torch_train(const char *model, size_t steps)
{
    const int64_t batch = BENCH_BATCH;

    if (std::strcmp(model, "mlp") == 0)
        train<Mlp>(torch::rand({batch, 64}), batch, 10, steps);
    else if (std::strcmp(model, "cnn") == 0)
        train<Cnn>(torch::rand({batch, 1, 8, 8}), batch, 10, steps);
    else
        train<Gpt>(torch::randint(BENCH_GPT_SYMBOLS, {batch, BENCH_GPT_CONTEXT},
                                  torch::kLong),
                   batch * BENCH_GPT_CONTEXT, BENCH_GPT_SYMBOLS, steps);
}
