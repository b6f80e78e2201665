// What crosses the border between Python and the library: plain structs, mirrored in lanes_library.py.
//
// Letters: P members of the population, R of them that train here, S steps, N rows, D inputs, C outputs,
// K schedules, G bags of weights of the rows, n numbers in a member's row.
#pragma once
#include <cstdint>

enum Pool : int64_t { NO_POOL, MAX_POOL, AVERAGE_POOL };
enum Layout : int32_t { MEMBERS, UNITS, EXAMPLES };
enum Activation : int32_t { RELU, LEAKY_RELU, GELU, SILU, TANH, SIGMOID, IDENTITY };
enum LossKind : int32_t { CROSS_ENTROPY, BCE, MSE, L1, HUBER };
enum OptimizerKind : int32_t { SGD, ADAM, ADAMW };
enum Hyperparameter { LR, WEIGHT_DECAY, MOMENTUM, BETA1, BETA2, EPS, CLIP, DROPOUT, EMA, HYPERPARAMETERS };
// Everything is done; a row or class isn't there; it was told to stop, and what it had begun is lost.
enum Answer : int32_t { DONE, OUT_OF_RANGE, STOPPED };

struct ConvolutionShape {  // of nets.py's Convolution; its places in a member's row; all int64
    int64_t inputs, height, width, outputs, kernel, stride, padding, out_height, out_width;
    int64_t skip, pool;                // whether the input of the convolution before is added; a Pool
    int64_t weight, bias;              // [out][in][ky][kx], [out]
    int64_t scale, shift;              // of group norm, [out] each
};

struct Network {                 // what all members share
    const int64_t* sizes;        // [layers + 1]: D, H, ..., C
    const int64_t* starts;       // [2 layers]: where in a member's row W [out][in] and b [out] begin
    const double* target_CC;     // cross-entropy: row c is the smoothed, weighted target of class c; trainers read it
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
    const int64_t* bag_P;           // whose weights of the rows a member learns by; or null: all the first one's
    int64_t count;
    int64_t* next;                  // how many of the R some worker has taken; all workers count here
};

// How a row's picture is changed: those of augmentation.py, in its order. One that isn't: {1, 0, 0, 0, 1, 0, 1, 0, ...}.
struct Change {
    float y_y, y_x, y_1, x_y, x_x, x_1;  // pixel (y, x) comes from (y_y y + y_x x + y_1, x_y y + x_x x + x_1)
    float contrast, brightness;          // a pixel p becomes (p − mean) contrast + (mean + brightness)
    float top, left, bottom, right;      // of a square that is set to 0
    float share;                         // of the row itself, where another one is mixed in
};

struct Steps {
    const float* x_ND;
    const int64_t* class_N;    // cross-entropy
    const float* target_NC;    // the other losses
    const int64_t* index;      // rows of the batches, one after the other; null: every batch is all rows
    const int64_t* end_S;      // where in index each batch ends
    const Change* change;      // [index, or S N]: what is done to each row's picture; or null
    const int64_t* partner;    // likewise: the row that is mixed in; or null
    const double* factor_KS;   // of the learning rate
    float* loss_SR;            // each step's loss before its update
    const float* weight_GN;    // of the rows in each bag, or null: each counts 1
    int64_t rows, first, optimizer_first, steps;
    int64_t start, stop;       // train these of them
};

struct Trainer;

struct Library {  // one instruction set's functions
    const char* name;
    int32_t lanes;
    // units: lanes hold a layer's units, and members go one by one; else lanes hold members. EXAMPLES: units,
    // and of convolutions always examples, not channels where these fill the lanes.
    // rows: the largest batch. hash: each element's number for dropout, [rows · widest hidden layer, or features
    // of pictures, + 16], which
    // the trainer goes on reading. Null: no memory.
    Trainer* (*open)(const Network*, const int32_t* hash, int64_t rows, int32_t units, int32_t ranks);
    void (*close)(Trainer*);
    // Every rank of a trainer, 0 to ranks − 1, is called from a thread of its own, with the same arguments, and they
    // work together; after another answer than DONE the trainer is of no use. Several trainers may take members of
    // the same Members at once. stop: not 0 as soon as they are to end.
    int32_t (*train)(Trainer*, int32_t rank, const Members*, const Steps*, const int32_t* stop);
    int32_t (*outputs)(Trainer*, int32_t rank, const Members*, const float* x_ND, int64_t rows, float* z_RNC,
                       const int32_t* stop);
    void (*map)(int32_t function, const float* x, float* y, int64_t count);
};
