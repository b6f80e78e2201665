// What crosses the border between Python and the library: plain structs, mirrored in lanes_library.py.
//
// Letters: P members of the population, R of them that train here, S steps, N rows, D inputs, C outputs,
// K schedules, n numbers in a member's row.
#pragma once
#include <cstdint>

enum Pool : int64_t { NO_POOL, MAX_POOL, AVERAGE_POOL };
enum Activation : int32_t { RELU, LEAKY_RELU, GELU, SILU, TANH, SIGMOID, IDENTITY };
enum LossKind : int32_t { CROSS_ENTROPY, BCE, MSE, L1, HUBER };
enum OptimizerKind : int32_t { SGD, ADAM, ADAMW };
enum Hyperparameter { LR, WEIGHT_DECAY, MOMENTUM, BETA1, BETA2, EPS, CLIP, DROPOUT, EMA, HYPERPARAMETERS };
enum Layout : int32_t { MEMBERS, UNITS, EXAMPLES };
enum Answer : int32_t { DONE, OUT_OF_TIME, OUT_OF_RANGE };  // of train; the last: a row or class that isn't there

struct ConvolutionShape {  // of nets.py's Convolution; its places in a member's row; all int64
    int64_t inputs, height, width, outputs, kernel, stride, padding, out_height, out_width;
    int64_t skip, pool;                // whether the input of the convolution before is added; a Pool
    int64_t weight, bias;              // [out][in][ky][kx], [out]
    int64_t scale, shift;              // of group norm, [out] each
};

struct Network {                 // what all members share
    const int64_t* sizes;        // [layers + 1]: D, H, ..., C
    const int64_t* starts;       // [2 layers]: where in a member's row W [out][in] and b [out] begin
    const double* target_CC;     // cross-entropy: row c is the smoothed, weighted target of class c
    const double* weight_C;      // class weights, or null
    const int64_t* column_D;     // the number of each input's gate, or null
    int64_t n;
    int64_t gates, gate_start;   // gates, and where in a member's row they begin; [gates]
    double gate_rate;
    const ConvolutionShape* convolutions;  // before the layers, whose D are their features; or null
    int64_t convolution_count, groups;     // groups of group norm; 0: none
    int64_t mean;                          // whether a feature is the mean of a channel
    int32_t layers, activation, loss, optimizer;
    int32_t nesterov, dropout, summed, softmax_first, averages;
};

struct Members {                    // R rows of a population
    const int64_t* row_R;
    float *params, *grads;          // [P][n]
    float* moments[2];              // [P][n], or null
    float* average;                 // [P][n]: of params, where Network.averages
    const double* hp[HYPERPARAMETERS];  // [P] each
    const int64_t *seed_P, *schedule_P;
    int64_t count;
};

struct Steps {
    const float* x_ND;
    const int64_t* class_N;    // cross-entropy
    const float* target_NC;    // the other losses
    const int64_t* index;      // rows of the batches, one after the other; null: every batch is all rows
    const int64_t* end_S;      // where in index each batch ends
    const int32_t* shift;      // [index, or S N][2]: how far each row's picture is moved down and right; or null
    const double* factor_KS;   // of the learning rate
    float* loss_SR;            // each step's loss before its update
    int64_t rows, first, optimizer_first, steps, schedules;
    int64_t start, stop;       // train these of them
};

struct Progress {  // where train goes on: members done, and steps of those at hand
    int64_t member, step;
};

struct Trainer;

struct Library {  // one instruction set's functions
    const char* name;
    int32_t lanes;
    // units: lanes hold a layer's units, and members go one by one; else lanes hold members. EXAMPLES: of
    // convolutions always examples, not channels where these fill the lanes.
    // rows: the largest batch. Null: no memory.
    Trainer* (*open)(const Network*, int64_t rows, int32_t units);
    void (*close)(Trainer*);
    int32_t (*train)(Trainer*, const Members*, const Steps*, Progress*, double seconds);
    void (*outputs)(Trainer*, const Members*, const float* x_ND, int64_t rows, float* z_RNC);
    void (*map)(int32_t function, const float* x, float* y, int64_t count);
};
